CREATE OR REPLACE FUNCTION finance.annual_refund_totals_at(instant timestamptz)
RETURNS TABLE (
    account_id text, currency text, refunds bigint, amount numeric, refund_usd numeric,
    cancelled_commitment_usd numeric, next_release_at timestamptz, next_release_usd numeric,
    amount_minor numeric, refund_usd_cents numeric, cancelled_commitment_usd_cents numeric
)
LANGUAGE sql STABLE AS $$
WITH recent AS (
    SELECT t.account_id, t.recorded_at, t.amount, t.refund_usd, t.cancelled_commitment_usd,
           coalesce(t.corrected_at <= finance.micros(instant), false) AS corrected,
           t.refund_usd IS NOT NULL AND NOT (
               t.cap_restored AND t.corrected_at <= finance.micros(instant)) AS uses_cap
    FROM read_models.annual_refund_totals t
    WHERE t.counts AND t.recorded_at <= finance.micros(instant)
      AND t.recorded_at > finance.micros(instant) - 365 * 86400000000
), totals AS (
    SELECT r.account_id, count(*) FILTER (WHERE NOT r.corrected) AS refunds,
           coalesce(sum(r.amount) FILTER (WHERE NOT r.corrected), 0) AS amount,
           sum(r.refund_usd) FILTER (WHERE r.uses_cap) AS refund_usd,
           sum(r.cancelled_commitment_usd) FILTER (WHERE r.uses_cap) AS cancelled_usd,
           min(r.recorded_at) FILTER (WHERE r.uses_cap) AS oldest_at
    FROM recent r GROUP BY r.account_id
)
SELECT a.account_id, a.currency, coalesce(t.refunds, 0), coalesce(t.amount, 0) * c.unit,
       t.refund_usd * 0.01, t.cancelled_usd * 0.01,
       finance.instant(t.oldest_at + 365 * 86400000000),
       (SELECT sum(r.refund_usd) * 0.01 FROM recent r
        WHERE r.account_id = a.account_id AND r.uses_cap AND r.recorded_at = t.oldest_at),
       coalesce(t.amount, 0), t.refund_usd, t.cancelled_usd
FROM read_models.accounts a
JOIN finance.currencies c ON c.code = a.currency
LEFT JOIN totals t ON t.account_id = a.account_id
WHERE a.opened_at <= finance.micros(instant)
$$;
COMMENT ON FUNCTION finance.annual_refund_totals_at IS
    'What was refunded to each account in the 365 days before an instant';

CREATE VIEW finance.annual_refund_totals AS
SELECT * FROM finance.annual_refund_totals_at(finance.now());
COMMENT ON VIEW finance.annual_refund_totals IS
    'What was refunded to each account in the last 365 days; exchanges never count';
COMMENT ON COLUMN finance.annual_refund_totals.account_id IS 'The account';
COMMENT ON COLUMN finance.annual_refund_totals.currency IS 'The currency of amount (ISO 4217)';
COMMENT ON COLUMN finance.annual_refund_totals.refunds IS 'How many refunds, corrected ones not';
COMMENT ON COLUMN finance.annual_refund_totals.amount IS 'Their sum, net of fees';
COMMENT ON COLUMN finance.annual_refund_totals.refund_usd IS
    'What counts against the cap in US dollars, refund basis; empty where no refund has a cap';
COMMENT ON COLUMN finance.annual_refund_totals.cancelled_commitment_usd IS
    'The same on the other basis: the refund and the instalments cancelled with it';
COMMENT ON COLUMN finance.annual_refund_totals.next_release_at IS
    'When the oldest refund that uses the cap is 365 days old and counts no more';
COMMENT ON COLUMN finance.annual_refund_totals.next_release_usd IS
    'What is released then in US dollars, refund basis';
COMMENT ON COLUMN finance.annual_refund_totals.amount_minor IS 'Amount in minor units';
COMMENT ON COLUMN finance.annual_refund_totals.refund_usd_cents IS 'refund_usd in cents';
COMMENT ON COLUMN finance.annual_refund_totals.cancelled_commitment_usd_cents IS
    'cancelled_commitment_usd in cents';
