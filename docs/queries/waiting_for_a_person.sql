-- Which refunds wait for a person, and why?
SELECT account_id, source_kind, source_id, amount, currency, held_because AS why, issued_at AS since
FROM finance.refunds
WHERE state = 'HELD'
UNION ALL
SELECT account_id, source_kind, source_id, amount, currency, reason, recorded_at
FROM finance.overpaid_refunds
WHERE reversed_at IS NULL
UNION ALL
SELECT t.account_id, r.source_kind, r.source_id, r.amount, r.currency, t.body ->> 'reason',
       t.recorded_at
FROM finance.events t
JOIN finance.refunds r ON r.account_id = t.account_id AND r.refund_id = t.body ->> 'refund_id'
WHERE t.event_name = 'SupportTaskOpened' AND t.body ->> 'reason' = 'SECOND_ATTEMPT_UNDER_WAY'
    AND NOT EXISTS (
        SELECT FROM finance.refund_progress p
        WHERE p.account_id = t.account_id AND p.refund_id = r.refund_id
            AND p.log_sequence > t.log_sequence
            AND p.attempt = (t.body ->> 'attempt')::bigint
            AND p.event_name IN ('RefundOverpaid', 'GatewayAnswerRecorded')
    )
ORDER BY since, account_id;
