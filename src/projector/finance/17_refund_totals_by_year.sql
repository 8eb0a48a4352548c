CREATE FUNCTION finance.refund_totals_by_year(
    first_month integer, time_zone text, as_of timestamptz DEFAULT NULL,
    known_at timestamptz DEFAULT NULL)
RETURNS TABLE (
    account_id text, year_starts_on date, year_ends_on date, currency text, refunds bigint,
    amount numeric, cap_usd numeric, refund_usd numeric, refund_left_usd numeric,
    cancelled_commitment_usd numeric, commitment_left_usd numeric, next_release_at timestamptz,
    next_release_usd numeric, commitment_next_release_usd numeric, amount_minor numeric
)
LANGUAGE sql STABLE AS $$
WITH known AS (
    SELECT f.account_id, f.currency, f.amount_minor, f.refund_usd_cents,
           f.cancelled_commitment_usd_cents, f.brought_along, x.corrected,
           NOT (x.corrected AND f.cap_restored) AS uses_cap,
           (date_trunc('year', (f.occurred_at AT TIME ZONE refund_totals_by_year.time_zone)
               - make_interval(months => first_month - 1))
               + make_interval(months => first_month - 1))::date AS year_starts_on
    FROM finance.refund_counts f
    CROSS JOIN LATERAL (SELECT coalesce(
        (as_of IS NULL OR f.corrected_at <= as_of)
        AND (known_at IS NULL OR f.corrected_at <= known_at)
        AND f.corrected_at IS NOT NULL, false) AS corrected) x
    WHERE finance.answerable(as_of, known_at) AND f.counts
      AND (as_of IS NULL OR f.occurred_at <= as_of)
      AND (known_at IS NULL OR f.recorded_at <= known_at)
), years AS (
    SELECT k.account_id, k.currency, k.year_starts_on,
           (k.year_starts_on + interval '1 year')::date AS year_ends_on,
           count(*) FILTER (WHERE NOT k.corrected AND NOT k.brought_along) AS refunds,
           coalesce(sum(k.amount_minor) FILTER (WHERE NOT k.corrected), 0) AS amount,
           sum(k.refund_usd_cents) FILTER (WHERE k.uses_cap) AS refund,
           sum(k.cancelled_commitment_usd_cents) FILTER (WHERE k.uses_cap) AS cancelled
    FROM known k GROUP BY k.account_id, k.currency, k.year_starts_on
), bounded AS (
    SELECT y.*, y.year_ends_on::timestamp AT TIME ZONE refund_totals_by_year.time_zone AS ended_at
    FROM years y
)
SELECT y.account_id, y.year_starts_on, y.year_ends_on, y.currency, y.refunds, y.amount * c.unit,
       t.cap_usd, y.refund * 0.01, greatest(0, t.cap_usd - coalesce(y.refund, 0) * 0.01),
       y.cancelled * 0.01, greatest(0, t.cap_usd - coalesce(y.cancelled, 0) * 0.01),
       CASE WHEN y.refund <> 0 OR y.cancelled <> 0 THEN y.ended_at END, y.refund * 0.01,
       y.cancelled * 0.01, y.amount
FROM bounded y
JOIN finance.currencies c ON c.code = y.currency
JOIN finance.terms t ON t.version = (
    SELECT f.version FROM finance.terms f WHERE f.effective_from < y.ended_at
    ORDER BY f.position DESC LIMIT 1)
$$;
COMMENT ON FUNCTION finance.refund_totals_by_year IS
    'Refunds by years that begin with a month (1 to 12) in a zone; the last two as in balances_at';

CREATE VIEW finance.refund_totals_by_calendar_year AS
SELECT y.account_id COLLATE "C" AS account_id, y.year_starts_on, y.year_ends_on, y.currency,
       y.refunds, y.amount, y.cap_usd, y.refund_usd, y.refund_left_usd,
       y.cancelled_commitment_usd, y.commitment_left_usd, y.next_release_at, y.next_release_usd,
       y.commitment_next_release_usd, y.amount_minor
FROM finance.fiscal_year f
CROSS JOIN LATERAL finance.refund_totals_by_year(1, f.time_zone) y;
COMMENT ON VIEW finance.refund_totals_by_calendar_year IS
    'Refunds in each calendar year, by business date; exchanges never count';
COMMENT ON COLUMN finance.refund_totals_by_calendar_year.account_id IS 'The account';
COMMENT ON COLUMN finance.refund_totals_by_calendar_year.year_starts_on IS 'The year''s first day';
COMMENT ON COLUMN finance.refund_totals_by_calendar_year.year_ends_on IS 'The day after its last';
COMMENT ON COLUMN finance.refund_totals_by_calendar_year.currency IS
    'The currency of amount (ISO 4217)';
COMMENT ON COLUMN finance.refund_totals_by_calendar_year.refunds IS
    'Number of refunds, without corrected ones';
COMMENT ON COLUMN finance.refund_totals_by_calendar_year.amount IS 'Their sum, net of fees';
COMMENT ON COLUMN finance.refund_totals_by_calendar_year.cap_usd IS
    'The cap by the terms at the year''s end; it limits only the rolling year';
COMMENT ON COLUMN finance.refund_totals_by_calendar_year.refund_usd IS
    'Used of the cap in US dollars, refund basis; empty if no refund has a cap';
COMMENT ON COLUMN finance.refund_totals_by_calendar_year.refund_left_usd IS
    'Rest of the cap, refund basis';
COMMENT ON COLUMN finance.refund_totals_by_calendar_year.cancelled_commitment_usd IS
    'Used on the other basis: the refund plus the instalments cancelled with it';
COMMENT ON COLUMN finance.refund_totals_by_calendar_year.commitment_left_usd IS
    'Rest of the cap, cancelled-commitment basis';
COMMENT ON COLUMN finance.refund_totals_by_calendar_year.next_release_at IS
    'When the next year begins, and a new count';
COMMENT ON COLUMN finance.refund_totals_by_calendar_year.next_release_usd IS
    'The amount that no longer counts then, refund basis';
COMMENT ON COLUMN finance.refund_totals_by_calendar_year.commitment_next_release_usd IS
    'The amount that no longer counts then, cancelled-commitment basis';
COMMENT ON COLUMN finance.refund_totals_by_calendar_year.amount_minor IS 'Amount in minor units';

CREATE VIEW finance.refund_totals_by_fiscal_year AS
SELECT y.account_id COLLATE "C" AS account_id, y.year_starts_on, y.year_ends_on, y.currency,
       y.refunds, y.amount, y.cap_usd, y.refund_usd, y.refund_left_usd,
       y.cancelled_commitment_usd, y.commitment_left_usd, y.next_release_at, y.next_release_usd,
       y.commitment_next_release_usd, y.amount_minor
FROM finance.fiscal_year f
CROSS JOIN LATERAL finance.refund_totals_by_year(f.first_month, f.time_zone) y;
COMMENT ON VIEW finance.refund_totals_by_fiscal_year IS
    'Refunds in each fiscal year (it begins as finance.fiscal_year says), by business date';
COMMENT ON COLUMN finance.refund_totals_by_fiscal_year.account_id IS 'The account';
COMMENT ON COLUMN finance.refund_totals_by_fiscal_year.year_starts_on IS 'The year''s first day';
COMMENT ON COLUMN finance.refund_totals_by_fiscal_year.year_ends_on IS 'The day after its last';
COMMENT ON COLUMN finance.refund_totals_by_fiscal_year.currency IS
    'The currency of amount (ISO 4217)';
COMMENT ON COLUMN finance.refund_totals_by_fiscal_year.refunds IS
    'Number of refunds, without corrected ones';
COMMENT ON COLUMN finance.refund_totals_by_fiscal_year.amount IS 'Their sum, net of fees';
COMMENT ON COLUMN finance.refund_totals_by_fiscal_year.cap_usd IS
    'The cap by the terms at the year''s end; it limits only the rolling year';
COMMENT ON COLUMN finance.refund_totals_by_fiscal_year.refund_usd IS
    'Used of the cap in US dollars, refund basis; empty if no refund has a cap';
COMMENT ON COLUMN finance.refund_totals_by_fiscal_year.refund_left_usd IS
    'Rest of the cap, refund basis';
COMMENT ON COLUMN finance.refund_totals_by_fiscal_year.cancelled_commitment_usd IS
    'Used on the other basis: the refund plus the instalments cancelled with it';
COMMENT ON COLUMN finance.refund_totals_by_fiscal_year.commitment_left_usd IS
    'Rest of the cap, cancelled-commitment basis';
COMMENT ON COLUMN finance.refund_totals_by_fiscal_year.next_release_at IS
    'When the next year begins, and a new count';
COMMENT ON COLUMN finance.refund_totals_by_fiscal_year.next_release_usd IS
    'The amount that no longer counts then, refund basis';
COMMENT ON COLUMN finance.refund_totals_by_fiscal_year.commitment_next_release_usd IS
    'The amount that no longer counts then, cancelled-commitment basis';
COMMENT ON COLUMN finance.refund_totals_by_fiscal_year.amount_minor IS 'Amount in minor units';
