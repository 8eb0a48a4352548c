CREATE FUNCTION finance.statement_at(
    as_of timestamptz DEFAULT NULL, known_at timestamptz DEFAULT NULL)
RETURNS TABLE (
    account_id text, line bigint, business_date date, occurred_at timestamptz,
    recorded_at timestamptz, kind text, event_name text, refund_id text, currency text,
    cash numeric, gift numeric, amount numeric, balance_cash numeric, balance_gift numeric,
    balance numeric, amount_minor numeric, balance_minor numeric, partition integer,
    log_sequence bigint
)
LANGUAGE sql STABLE AS $$
-- What a line says of its event is looked up line by line: of a long statement only some lines are shown.
SELECT r.account_id, r.line,
       ((SELECT e.occurred_at FROM finance.events e
         WHERE e.partition = r.partition AND e.log_sequence = r.log_sequence)
        AT TIME ZONE f.time_zone)::date,
       (SELECT e.occurred_at FROM finance.events e
        WHERE e.partition = r.partition AND e.log_sequence = r.log_sequence),
       (SELECT e.recorded_at FROM finance.events e
        WHERE e.partition = r.partition AND e.log_sequence = r.log_sequence),
       CASE WHEN r.cash + r.gift < 0 THEN 'EXPENSE' ELSE 'INCOME' END, r.event_name,
       (SELECT e.body ->> 'refund_id' FROM finance.events e
        WHERE e.partition = r.partition AND e.log_sequence = r.log_sequence),
       r.currency, r.cash * c.unit, r.gift * c.unit,
       (r.cash + r.gift) * c.unit, r.balance_cash * c.unit, r.balance_gift * c.unit,
       (r.balance_cash + r.balance_gift) * c.unit, r.cash + r.gift,
       r.balance_cash + r.balance_gift, r.partition, r.log_sequence
FROM (
    SELECT m.*, row_number() OVER before AS line, sum(m.cash) OVER before AS balance_cash,
           sum(m.gift) OVER before AS balance_gift
    FROM (
        SELECT p.account_id, p.partition, p.log_sequence, p.event_name, p.currency,
               -coalesce(sum(p.signed_minor) FILTER (WHERE p.ledger_account = 'balance:cash'), 0)
                   AS cash,
               -coalesce(sum(p.signed_minor) FILTER (WHERE p.ledger_account = 'balance:gift'), 0)
                   AS gift
        FROM finance.postings p
        WHERE finance.answerable(as_of, known_at)
          AND p.ledger_account IN ('balance:cash', 'balance:gift')
          AND (as_of IS NULL OR p.occurred_at <= as_of)
          AND (known_at IS NULL OR p.recorded_at <= known_at)
        GROUP BY p.account_id, p.partition, p.log_sequence, p.event_name, p.currency
    ) m
    WINDOW before AS (PARTITION BY m.account_id ORDER BY m.log_sequence)
) r
JOIN finance.currencies c ON c.code = r.currency
CROSS JOIN finance.fiscal_year f
$$;
COMMENT ON FUNCTION finance.statement_at IS
    'The statement as of a business instant, as it was known at another; both default to the present';

CREATE VIEW finance.statement AS
SELECT s.account_id COLLATE "C" AS account_id, s.line, s.business_date, s.occurred_at,
       s.recorded_at, s.kind, s.event_name, s.refund_id, s.currency, s.cash, s.gift, s.amount,
       s.balance_cash, s.balance_gift, s.balance, s.amount_minor, s.balance_minor, s.partition,
       s.log_sequence
FROM finance.statement_at() s;
COMMENT ON VIEW finance.statement IS
    'The income and expense lines (收支明细) of each account''s balance, in the order recorded';
COMMENT ON COLUMN finance.statement.account_id IS 'The account';
COMMENT ON COLUMN finance.statement.line IS 'The line in the account''s statement, from 1';
COMMENT ON COLUMN finance.statement.business_date IS
    'Its day, in the zone of finance.fiscal_year';
COMMENT ON COLUMN finance.statement.occurred_at IS 'The business instant';
COMMENT ON COLUMN finance.statement.recorded_at IS 'When it was decided and recorded';
COMMENT ON COLUMN finance.statement.kind IS 'INCOME, or EXPENSE for a correction';
COMMENT ON COLUMN finance.statement.event_name IS 'What happened';
COMMENT ON COLUMN finance.statement.refund_id IS
    'The refund it is about; empty for an opening balance';
COMMENT ON COLUMN finance.statement.currency IS 'The currency of the amounts (ISO 4217)';
COMMENT ON COLUMN finance.statement.cash IS 'Cash, an expense negative';
COMMENT ON COLUMN finance.statement.gift IS 'Gift money (赠送金), an expense negative';
COMMENT ON COLUMN finance.statement.amount IS 'Both together';
COMMENT ON COLUMN finance.statement.balance_cash IS 'The cash balance after this line';
COMMENT ON COLUMN finance.statement.balance_gift IS 'The gift money balance after this line';
COMMENT ON COLUMN finance.statement.balance IS 'The balance after this line';
COMMENT ON COLUMN finance.statement.amount_minor IS 'Amount in minor units of the currency';
COMMENT ON COLUMN finance.statement.balance_minor IS 'Balance in minor units of the currency';
COMMENT ON COLUMN finance.statement.partition IS 'The partition of the events topic';
COMMENT ON COLUMN finance.statement.log_sequence IS 'The number of the event in that partition';
