CREATE VIEW finance.reservation_returns AS
SELECT e.account_id, e.body ->> 'reservation_id' AS reservation_id, e.command_id,
       (e.body ->> 'instalment')::integer AS instalment, (e.body ->> 'quantity')::bigint AS quantity,
       e.recorded_at AS returned_at, false AS exchanged, NULL::bigint AS refunded_before_minor
FROM finance.events e
WHERE e.event_name = 'ReservationCancelled'
UNION ALL
SELECT e.account_id, leg ->> 'reservation_id', e.command_id, (leg ->> 'instalment')::integer,
       (leg ->> 'quantity')::bigint, e.recorded_at, true, NULL
FROM finance.events e
CROSS JOIN LATERAL jsonb_array_elements(e.body -> 'returned') leg
WHERE e.event_name = 'ReservationExchanged'
UNION ALL
SELECT e.account_id, e.body ->> 'reservation_id', e.command_id,
       coalesce((e.body ->> 'returned_instalment')::integer, 0),
       (e.body ->> 'returned_quantity')::bigint, e.recorded_at, false,
       coalesce((e.body ->> 'refunded')::bigint, 0)
FROM finance.events e
WHERE e.event_name = 'ReservationPurchased' AND e.body ? 'returned_quantity';
COMMENT ON VIEW finance.reservation_returns IS 'Every return of a reservation';
COMMENT ON COLUMN finance.reservation_returns.account_id IS 'The account';
COMMENT ON COLUMN finance.reservation_returns.reservation_id IS 'The reservation';
COMMENT ON COLUMN finance.reservation_returns.command_id IS 'The command of the return';
COMMENT ON COLUMN finance.reservation_returns.instalment IS
    'The instalment it was given back in, from 1; an upfront payment is one; 0: before it was recorded here, in an earlier one';
COMMENT ON COLUMN finance.reservation_returns.quantity IS 'How many were returned';
COMMENT ON COLUMN finance.reservation_returns.returned_at IS 'When';
COMMENT ON COLUMN finance.reservation_returns.exchanged IS 'Whether it was returned in an exchange';
COMMENT ON COLUMN finance.reservation_returns.refunded_before_minor IS
    'What was refunded of that instalment before it was recorded here, in minor units; else empty';

CREATE VIEW finance.reservation_holdings AS
SELECT r.account_id, r.reservation_id, r.state, r.product_type, r.sku, r.region, r.quantity,
       r.original_quantity, r.term_months, date '1970-01-01' + r.starts_on AS starts_on,
       date '1970-01-01' + r.ends_on AS ends_on, r.total AS total_minor, r.currency, r.billing_plan,
       r.payment_method, r.term_id, r.invoice_id, r.card_id, r.owners, r.bought_in_exchange,
       finance.instant(r.purchased_at) AS purchased_at
FROM read_models.reservations r;
COMMENT ON VIEW finance.reservation_holdings IS 'Every reservation as it was bought, and the held quantity';
COMMENT ON COLUMN finance.reservation_holdings.account_id IS 'The account';
COMMENT ON COLUMN finance.reservation_holdings.reservation_id IS 'The reservation';
COMMENT ON COLUMN finance.reservation_holdings.state IS 'ACTIVE, CANCELLED, EXCHANGED or EXPIRED';
COMMENT ON COLUMN finance.reservation_holdings.product_type IS 'The reserved product type';
COMMENT ON COLUMN finance.reservation_holdings.sku IS 'The size, after the last swap';
COMMENT ON COLUMN finance.reservation_holdings.region IS 'Where';
COMMENT ON COLUMN finance.reservation_holdings.quantity IS 'How many are still held';
COMMENT ON COLUMN finance.reservation_holdings.original_quantity IS 'How many were bought';
COMMENT ON COLUMN finance.reservation_holdings.term_months IS '12 or 36';
COMMENT ON COLUMN finance.reservation_holdings.starts_on IS 'Its first day (UTC)';
COMMENT ON COLUMN finance.reservation_holdings.ends_on IS 'The day after its last (UTC)';
COMMENT ON COLUMN finance.reservation_holdings.total_minor IS
    'The lifetime price of the whole purchase, in minor units';
COMMENT ON COLUMN finance.reservation_holdings.currency IS 'The currency of the amounts (ISO 4217)';
COMMENT ON COLUMN finance.reservation_holdings.billing_plan IS 'UPFRONT or MONTHLY';
COMMENT ON COLUMN finance.reservation_holdings.payment_method IS
    'COMMITMENT, OVERAGE, INVOICE or CARD: the refund is paid the same way';
COMMENT ON COLUMN finance.reservation_holdings.term_id IS 'The commitment term it was bought with';
COMMENT ON COLUMN finance.reservation_holdings.invoice_id IS 'The invoice it was bought on';
COMMENT ON COLUMN finance.reservation_holdings.card_id IS 'The card it was bought with';
COMMENT ON COLUMN finance.reservation_holdings.owners IS 'Its owners, who may act on it';
COMMENT ON COLUMN finance.reservation_holdings.bought_in_exchange IS 'Whether it was bought in an exchange';
COMMENT ON COLUMN finance.reservation_holdings.purchased_at IS 'When the purchase was recorded';

CREATE FUNCTION finance.reservation_values_on(day date)
RETURNS TABLE (
    account_id text, reservation_id text, instalment integer, remaining_days integer,
    period_days integer, value_minor numeric, remaining_commitment_minor numeric
)
LANGUAGE sql STABLE AS $$
WITH begun AS (
    SELECT r.*, CASE r.billing_plan WHEN 'UPFRONT' THEN 0 ELSE (
               SELECT count(*) FROM generate_series(1, r.term_months - 1) m
               WHERE (r.starts_on + make_interval(months => m))::date <= day) END::integer AS before
    FROM finance.reservation_holdings r
), period AS (
    SELECT b.*, b.before + 1 AS instalment,
           CASE b.billing_plan WHEN 'UPFRONT' THEN b.total_minor ELSE
               finance.half_up(b.total_minor::numeric * (b.before + 1), b.term_months)
               - finance.half_up(b.total_minor::numeric * b.before, b.term_months) END AS paid,
           CASE b.billing_plan WHEN 'UPFRONT' THEN b.starts_on ELSE
               (b.starts_on + make_interval(months => b.before))::date END AS period_starts_on,
           CASE b.billing_plan WHEN 'UPFRONT' THEN b.ends_on ELSE
               (b.starts_on + make_interval(months => b.before + 1))::date END AS period_ends_on
    FROM begun b
), days AS (
    SELECT p.*, p.period_ends_on - p.period_starts_on AS all_days,
           least(p.period_ends_on - p.period_starts_on,
                 greatest(0, p.period_ends_on - day)) AS left_days
    FROM period p
), returned AS (
    SELECT b.account_id, b.reservation_id, b.instalment, sum(b.quantity) AS quantity,
           coalesce(sum(f.gross_minor) FILTER (WHERE f.corrected_at IS NULL), 0)
               + coalesce(sum(b.refunded_before_minor), 0) AS refunded
    FROM finance.reservation_returns b
    LEFT JOIN finance.refunds f
        ON f.account_id = b.account_id AND f.command_id = b.command_id
        AND f.source_kind = 'RESERVATION' AND f.source_id = b.reservation_id
    GROUP BY b.account_id, b.reservation_id, b.instalment
), rounding AS (
    SELECT t.partial_rounding = 'CUMULATIVE' AS together
    FROM finance.terms t WHERE t.effective_from <= day::timestamp AT TIME ZONE 'UTC'
    ORDER BY t.position DESC LIMIT 1
), counted AS (
    SELECT d.*, x.quantity AS given_back, x.refunded,
           CASE WHEN (SELECT together FROM rounding) THEN coalesce(x.quantity, 0) ELSE 0 END AS q0
    FROM days d
    LEFT JOIN returned x
        ON x.account_id = d.account_id AND x.reservation_id = d.reservation_id
        AND x.instalment = d.instalment
), valued AS (
    SELECT d.*,
           greatest(0, least(
               finance.half_up(d.paid * (d.q0 + d.quantity) * d.left_days,
                               d.original_quantity * d.all_days)
               - finance.half_up(d.paid * d.q0 * d.left_days, d.original_quantity * d.all_days),
               finance.half_up(d.paid * (d.quantity + coalesce(d.given_back, 0)), d.original_quantity)
               - coalesce(d.refunded, 0))) AS value,
           CASE d.billing_plan WHEN 'UPFRONT' THEN 0 ELSE finance.half_up(
               (d.total_minor - finance.half_up(d.total_minor::numeric * d.instalment, d.term_months))
               * d.quantity, d.original_quantity) END AS later
    FROM counted d
)
SELECT v.account_id, v.reservation_id, v.instalment, v.left_days, v.all_days, v.value,
       v.value + v.later
FROM valued v
$$;
COMMENT ON FUNCTION finance.reservation_values_on IS
    'The value of each reservation''s held quantity, if it were returned on a day (UTC)';

CREATE VIEW finance.reservations AS
SELECT h.account_id, h.reservation_id, h.state, h.product_type, h.sku, h.region,
       coalesce(t.families ->> h.product_type, h.product_type) AS product_family,
       NOT t.not_exchangeable ? h.product_type AS exchangeable,
       h.quantity, h.original_quantity, h.term_months, h.starts_on, h.ends_on, h.currency,
       h.total_minor * c.unit AS total, h.billing_plan, v.instalment, v.remaining_days,
       v.period_days, v.value_minor * c.unit AS remaining_value,
       v.remaining_commitment_minor * c.unit AS remaining_commitment, h.payment_method, h.term_id,
       h.invoice_id, h.card_id, h.owners, h.bought_in_exchange, h.purchased_at, h.total_minor,
       v.value_minor AS remaining_value_minor, v.remaining_commitment_minor
FROM finance.reservation_holdings h
JOIN finance.currencies c ON c.code = h.currency
CROSS JOIN (SELECT (finance.now() AT TIME ZONE 'UTC')::date AS day OFFSET 0) today
LEFT JOIN LATERAL finance.reservation_values_on(today.day) v
    ON h.state = 'ACTIVE' AND v.account_id = h.account_id AND v.reservation_id = h.reservation_id
LEFT JOIN finance.terms t ON t.version = (
    SELECT f.version FROM finance.terms f WHERE f.effective_from <= (SELECT finance.now())
    ORDER BY f.position DESC LIMIT 1);
COMMENT ON VIEW finance.reservations IS 'Every reservation, and its remaining value today';
COMMENT ON COLUMN finance.reservations.account_id IS 'The account';
COMMENT ON COLUMN finance.reservations.reservation_id IS 'The reservation';
COMMENT ON COLUMN finance.reservations.state IS 'ACTIVE, CANCELLED, EXCHANGED or EXPIRED';
COMMENT ON COLUMN finance.reservations.product_type IS 'The reserved product type';
COMMENT ON COLUMN finance.reservations.sku IS 'The size, after the last swap';
COMMENT ON COLUMN finance.reservations.region IS 'Where';
COMMENT ON COLUMN finance.reservations.product_family IS
    'The product family within which it can be exchanged, by the terms in force';
COMMENT ON COLUMN finance.reservations.exchangeable IS 'Whether it can be exchanged by the terms in force';
COMMENT ON COLUMN finance.reservations.quantity IS 'How many are still held';
COMMENT ON COLUMN finance.reservations.original_quantity IS 'How many were bought';
COMMENT ON COLUMN finance.reservations.term_months IS '12 or 36';
COMMENT ON COLUMN finance.reservations.starts_on IS 'Its first day (UTC)';
COMMENT ON COLUMN finance.reservations.ends_on IS 'The day after its last (UTC)';
COMMENT ON COLUMN finance.reservations.currency IS 'The currency of the amounts (ISO 4217)';
COMMENT ON COLUMN finance.reservations.total IS 'The lifetime price of the whole purchase';
COMMENT ON COLUMN finance.reservations.billing_plan IS 'UPFRONT or MONTHLY';
COMMENT ON COLUMN finance.reservations.instalment IS 'The present instalment, from 1';
COMMENT ON COLUMN finance.reservations.remaining_days IS 'Days left of the paid period, today included';
COMMENT ON COLUMN finance.reservations.period_days IS 'Days of the paid period';
COMMENT ON COLUMN finance.reservations.remaining_value IS
    'The refund for the whole held quantity today, before a fee; empty if none is held';
COMMENT ON COLUMN finance.reservations.remaining_commitment IS
    'The remaining value plus all later instalments';
COMMENT ON COLUMN finance.reservations.payment_method IS
    'COMMITMENT, OVERAGE, INVOICE or CARD: the refund is paid the same way';
COMMENT ON COLUMN finance.reservations.term_id IS 'The commitment term it was bought with';
COMMENT ON COLUMN finance.reservations.invoice_id IS 'The invoice it was bought on';
COMMENT ON COLUMN finance.reservations.card_id IS 'The card it was bought with';
COMMENT ON COLUMN finance.reservations.owners IS 'Its owners, who may act on it';
COMMENT ON COLUMN finance.reservations.bought_in_exchange IS 'Whether it was bought in an exchange';
COMMENT ON COLUMN finance.reservations.purchased_at IS 'When the purchase was recorded';
COMMENT ON COLUMN finance.reservations.total_minor IS 'Total in minor units of the currency';
COMMENT ON COLUMN finance.reservations.remaining_value_minor IS 'Remaining value in minor units';
COMMENT ON COLUMN finance.reservations.remaining_commitment_minor IS
    'Remaining commitment in minor units';
