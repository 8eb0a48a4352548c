CREATE VIEW finance.overpaid_refunds AS
SELECT e.account_id, e.body ->> 'refund_id' AS refund_id, f.source_kind, f.source_id,
       (e.body ->> 'attempt')::bigint AS attempt, a.card_id,
       e.body ->> 'gateway_reference' AS gateway_reference,
       e.body ->> 'gateway_reason' AS gateway_reason, t.body ->> 'reason' AS reason, f.currency,
       (e.body ->> 'amount')::bigint * c.unit AS amount,
       (e.body ->> 'amount')::bigint AS amount_minor, e.recorded_at, e.occurred_at,
       x.recorded_at AS reversed_at, e.command_id, e.partition, e.log_sequence
FROM finance.events e
JOIN finance.refunds f
    ON f.account_id = e.account_id AND f.refund_id = e.body ->> 'refund_id'
JOIN finance.currencies c ON c.code = f.currency
JOIN finance.events t ON t.partition = e.partition AND t.log_sequence = e.log_sequence + 1
CROSS JOIN LATERAL (
    SELECT q.body ->> 'card_id' AS card_id
    FROM finance.events q
    WHERE q.account_id = e.account_id AND q.event_name = 'CardRefundRequested'
        AND q.body ? 'refund_id' AND q.body ->> 'refund_id' = e.body ->> 'refund_id'
    ORDER BY q.log_sequence
    OFFSET (e.body ->> 'attempt')::bigint - 1 LIMIT 1
) a
LEFT JOIN finance.events x
    ON x.account_id = e.account_id AND x.event_name = 'RefundCorrected'
    AND x.body ->> 'refund_id' = e.body ->> 'refund_id' AND x.log_sequence > e.log_sequence
WHERE e.event_name = 'RefundOverpaid';
COMMENT ON VIEW finance.overpaid_refunds IS
    'Every payment of the card gateway that was no longer owed: the customer must pay it back';
COMMENT ON COLUMN finance.overpaid_refunds.account_id IS 'The account';
COMMENT ON COLUMN finance.overpaid_refunds.refund_id IS 'The refund';
COMMENT ON COLUMN finance.overpaid_refunds.source_kind IS
    'INSTANCE, MARKETPLACE or RESERVATION';
COMMENT ON COLUMN finance.overpaid_refunds.source_id IS
    'The instance, purchase or reservation refunded';
COMMENT ON COLUMN finance.overpaid_refunds.attempt IS
    'The number of the refund''s card refund that was paid, from 1';
COMMENT ON COLUMN finance.overpaid_refunds.card_id IS 'The card of the request';
COMMENT ON COLUMN finance.overpaid_refunds.gateway_reference IS 'The gateway''s own reference';
COMMENT ON COLUMN finance.overpaid_refunds.gateway_reason IS 'What the gateway said';
COMMENT ON COLUMN finance.overpaid_refunds.reason IS
    'PAID_TWICE, or PAID_AFTER_CORRECTION if it was the only payment';
COMMENT ON COLUMN finance.overpaid_refunds.currency IS 'The currency of the amount (ISO 4217)';
COMMENT ON COLUMN finance.overpaid_refunds.amount IS 'The amount that the customer must pay back';
COMMENT ON COLUMN finance.overpaid_refunds.amount_minor IS
    'Amount in minor units of the currency';
COMMENT ON COLUMN finance.overpaid_refunds.recorded_at IS 'When it was decided and recorded';
COMMENT ON COLUMN finance.overpaid_refunds.occurred_at IS 'The business instant';
COMMENT ON COLUMN finance.overpaid_refunds.reversed_at IS
    'When a correction of the complete refund reversed it too';
COMMENT ON COLUMN finance.overpaid_refunds.command_id IS 'The command that reported it';
COMMENT ON COLUMN finance.overpaid_refunds.partition IS 'The partition of the events topic';
COMMENT ON COLUMN finance.overpaid_refunds.log_sequence IS
    'The number of the event in that partition';
