CREATE VIEW finance.refund_counts AS
SELECT t.account_id, t.refund_id, t.currency, t.counts,
       finance.instant(t.recorded_at) AS counted_at, finance.instant(t.occurred_at) AS occurred_at,
       finance.instant(t.corrected_at) AS corrected_at, t.cap_restored,
       t.amount AS amount_minor, t.refund_usd AS refund_usd_cents,
       t.cancelled_commitment_usd AS cancelled_commitment_usd_cents, t.usd_rate,
       finance.instant(t.recorded_at) AS recorded_at, false AS brought_along
FROM read_models.annual_refund_totals t
UNION ALL
SELECT o.account_id, u ->> 'reference', o.body ->> 'currency', true,
       finance.instant((u ->> 'refunded_at')::bigint),
       finance.instant((u ->> 'refunded_at')::bigint), NULL, false, 0,
       (u ->> 'refund_usd')::bigint, (u ->> 'cancelled_commitment_usd')::bigint, NULL,
       finance.instant(o.recorded_at), true
FROM read_models.outcomes o
CROSS JOIN LATERAL jsonb_array_elements(o.body -> 'cap_uses') u
WHERE o.event_name = 'OpeningPositionRecorded';
COMMENT ON VIEW finance.refund_counts IS
    'The amount of each refund in the annual totals and against the cap, and since when';
COMMENT ON COLUMN finance.refund_counts.account_id IS 'The account';
COMMENT ON COLUMN finance.refund_counts.refund_id IS
    'The refund; of an opening position the reference it was given';
COMMENT ON COLUMN finance.refund_counts.currency IS 'The currency of amount_minor (ISO 4217)';
COMMENT ON COLUMN finance.refund_counts.counts IS 'False for the returned leg of an exchange';
COMMENT ON COLUMN finance.refund_counts.counted_at IS
    'When it was decided, or made in the system before: it counts from here on';
COMMENT ON COLUMN finance.refund_counts.occurred_at IS 'The business instant; for a timer its deadline';
COMMENT ON COLUMN finance.refund_counts.corrected_at IS 'From here on it does not count';
COMMENT ON COLUMN finance.refund_counts.cap_restored IS
    'Whether the correction also restored the cap';
COMMENT ON COLUMN finance.refund_counts.amount_minor IS 'The refund, net of the fee, in minor units';
COMMENT ON COLUMN finance.refund_counts.refund_usd_cents IS
    'Its amount against the cap on the refund basis, in US cents; only for reservations';
COMMENT ON COLUMN finance.refund_counts.cancelled_commitment_usd_cents IS
    'Its amount on the cancelled-commitment basis, in US cents';
COMMENT ON COLUMN finance.refund_counts.usd_rate IS 'US dollars per unit of the currency, when decided';
COMMENT ON COLUMN finance.refund_counts.recorded_at IS 'Since when the ledger knows of it';
COMMENT ON COLUMN finance.refund_counts.brought_along IS
    'Whether an opening position says it: it counts against the cap and in no amount';

CREATE FUNCTION finance.annual_refund_totals_at(
    as_of timestamptz DEFAULT NULL, known_at timestamptz DEFAULT NULL)
RETURNS TABLE (
    account_id text, currency text, refunds bigint, amount numeric, cap_usd numeric, cap_basis text,
    refund_usd numeric, refund_left_usd numeric, next_release_at timestamptz,
    next_release_usd numeric, cancelled_commitment_usd numeric, commitment_left_usd numeric,
    commitment_next_release_at timestamptz, commitment_next_release_usd numeric,
    amount_minor numeric, refund_usd_cents numeric, cancelled_commitment_usd_cents numeric
)
LANGUAGE sql STABLE AS $$
WITH asked AS (
    SELECT coalesce(as_of, finance.now()) AS present WHERE finance.answerable(as_of, known_at)
), rule AS (
    SELECT a.present, t.cap_usd, t.cap_basis, make_interval(hours => t.cap_window_days * 24) AS span
    FROM asked a
    JOIN finance.terms t ON t.effective_from <= a.present
    ORDER BY t.position DESC LIMIT 1
), recent AS (
    SELECT f.account_id, f.counted_at, f.amount_minor, f.refund_usd_cents AS refund,
           f.cancelled_commitment_usd_cents AS cancelled, f.brought_along, x.corrected,
           f.refund_usd_cents IS NOT NULL AND NOT (x.corrected AND f.cap_restored) AS uses_cap
    FROM rule
    JOIN finance.refund_counts f ON f.counts AND f.occurred_at <= rule.present
        AND f.counted_at > rule.present - rule.span
        AND (known_at IS NULL OR f.recorded_at <= known_at)
    CROSS JOIN LATERAL (SELECT coalesce(f.corrected_at <= rule.present
        AND (known_at IS NULL OR f.corrected_at <= known_at), false) AS corrected) x
), dated AS (
    SELECT r.*, min(r.counted_at) FILTER (WHERE r.uses_cap AND r.refund <> 0) OVER own AS refund_at,
           min(r.counted_at) FILTER (WHERE r.uses_cap AND r.cancelled <> 0) OVER own AS cancelled_at
    FROM recent r WINDOW own AS (PARTITION BY r.account_id)
), totals AS (
    SELECT r.account_id,
           count(*) FILTER (WHERE NOT r.corrected AND NOT r.brought_along) AS refunds,
           coalesce(sum(r.amount_minor) FILTER (WHERE NOT r.corrected), 0) AS amount,
           sum(r.refund) FILTER (WHERE r.uses_cap) AS refund,
           sum(r.cancelled) FILTER (WHERE r.uses_cap) AS cancelled,
           min(r.refund_at) AS refund_at, min(r.cancelled_at) AS cancelled_at,
           sum(r.refund) FILTER (WHERE r.uses_cap AND r.counted_at = r.refund_at) AS refund_released,
           sum(r.cancelled) FILTER (WHERE r.uses_cap AND r.counted_at = r.cancelled_at)
               AS cancelled_released
    FROM dated r GROUP BY r.account_id
)
SELECT a.account_id, a.currency, coalesce(t.refunds, 0), coalesce(t.amount, 0) * c.unit,
       rule.cap_usd, rule.cap_basis,
       t.refund * 0.01, greatest(0, rule.cap_usd - coalesce(t.refund, 0) * 0.01),
       t.refund_at + rule.span, t.refund_released * 0.01,
       t.cancelled * 0.01, greatest(0, rule.cap_usd - coalesce(t.cancelled, 0) * 0.01),
       t.cancelled_at + rule.span, t.cancelled_released * 0.01,
       coalesce(t.amount, 0), t.refund, t.cancelled
FROM rule
CROSS JOIN finance.accounts a
JOIN finance.currencies c ON c.code = a.currency
LEFT JOIN totals t ON t.account_id = a.account_id
WHERE a.opened_at <= rule.present AND (known_at IS NULL OR a.opened_at <= known_at)
$$;
COMMENT ON FUNCTION finance.annual_refund_totals_at IS
    'The rolling totals as of a business instant, as known at another; both default to the present';

CREATE VIEW finance.annual_refund_totals AS
SELECT t.account_id COLLATE "C" AS account_id, t.currency, t.refunds, t.amount, t.cap_usd,
       t.cap_basis, t.refund_usd, t.refund_left_usd, t.next_release_at, t.next_release_usd,
       t.cancelled_commitment_usd, t.commitment_left_usd, t.commitment_next_release_at,
       t.commitment_next_release_usd, t.amount_minor, t.refund_usd_cents,
       t.cancelled_commitment_usd_cents
FROM finance.annual_refund_totals_at() t;
COMMENT ON VIEW finance.annual_refund_totals IS
    'Refunds to each account in the rolling year of the terms; exchanges never count';
COMMENT ON COLUMN finance.annual_refund_totals.account_id IS 'The account';
COMMENT ON COLUMN finance.annual_refund_totals.currency IS 'The currency of amount (ISO 4217)';
COMMENT ON COLUMN finance.annual_refund_totals.refunds IS 'Number of refunds, without corrected ones';
COMMENT ON COLUMN finance.annual_refund_totals.amount IS 'Their sum, net of fees';
COMMENT ON COLUMN finance.annual_refund_totals.cap_usd IS
    'The cap on reservation refunds by the terms in force, in US dollars';
COMMENT ON COLUMN finance.annual_refund_totals.cap_basis IS
    'The basis of the cap: REFUND or COMMITMENT; both are shown';
COMMENT ON COLUMN finance.annual_refund_totals.refund_usd IS
    'Used of the cap in US dollars, refund basis; empty if no refund has a cap';
COMMENT ON COLUMN finance.annual_refund_totals.refund_left_usd IS 'Rest of the cap, refund basis';
COMMENT ON COLUMN finance.annual_refund_totals.next_release_at IS
    'When the oldest refund that uses the cap no longer counts, refund basis';
COMMENT ON COLUMN finance.annual_refund_totals.next_release_usd IS
    'The amount released then in US dollars, refund basis';
COMMENT ON COLUMN finance.annual_refund_totals.cancelled_commitment_usd IS
    'Used on the other basis: the refund plus the instalments cancelled with it';
COMMENT ON COLUMN finance.annual_refund_totals.commitment_left_usd IS
    'Rest of the cap, cancelled-commitment basis';
COMMENT ON COLUMN finance.annual_refund_totals.commitment_next_release_at IS
    'When the oldest no longer counts, cancelled-commitment basis';
COMMENT ON COLUMN finance.annual_refund_totals.commitment_next_release_usd IS
    'The amount released then in US dollars, cancelled-commitment basis';
COMMENT ON COLUMN finance.annual_refund_totals.amount_minor IS 'Amount in minor units';
COMMENT ON COLUMN finance.annual_refund_totals.refund_usd_cents IS 'refund_usd in cents';
COMMENT ON COLUMN finance.annual_refund_totals.cancelled_commitment_usd_cents IS
    'cancelled_commitment_usd in cents';
