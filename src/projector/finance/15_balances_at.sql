CREATE FUNCTION finance.balances_at(
    as_of timestamptz DEFAULT NULL, known_at timestamptz DEFAULT NULL)
RETURNS TABLE (
    account_id text, currency text, cash numeric, gift numeric, total numeric,
    cash_minor numeric, gift_minor numeric, total_minor numeric
)
LANGUAGE sql STABLE AS $$
WITH moved AS (
    SELECT p.account_id,
           -coalesce(sum(p.signed_minor) FILTER (WHERE p.ledger_account = 'balance:cash'), 0) AS cash,
           -coalesce(sum(p.signed_minor) FILTER (WHERE p.ledger_account = 'balance:gift'), 0) AS gift
    FROM finance.postings p
    WHERE p.ledger_account IN ('balance:cash', 'balance:gift')
      AND (as_of IS NULL OR p.occurred_at <= as_of)
      AND (known_at IS NULL OR p.recorded_at <= known_at)
    GROUP BY p.account_id
), standing AS (
    SELECT a.account_id, a.currency, coalesce(m.cash, 0) AS cash, coalesce(m.gift, 0) AS gift
    FROM finance.accounts a
    LEFT JOIN moved m ON m.account_id = a.account_id
    WHERE finance.answerable(as_of, known_at)
      AND (as_of IS NULL OR a.opened_at <= as_of)
      AND (known_at IS NULL OR a.opened_at <= known_at)
)
SELECT s.account_id, s.currency, s.cash * c.unit, s.gift * c.unit, (s.cash + s.gift) * c.unit,
       s.cash, s.gift, s.cash + s.gift
FROM standing s
JOIN finance.currencies c ON c.code = s.currency
$$;
COMMENT ON FUNCTION finance.balances_at IS
    'The balances as of a business instant, as they were known at another; both default to the present';
