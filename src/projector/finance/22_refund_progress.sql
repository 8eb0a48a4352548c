CREATE VIEW finance.refund_progress AS
WITH steps AS (
    SELECT e.account_id, e.body ->> 'refund_id' AS refund_id, e.event_name, e.body, e.occurred_at,
           e.recorded_at, e.command_id, e.actor_role, e.partition, e.log_sequence
    FROM finance.events e
    WHERE e.body ? 'refund_id'
    UNION ALL
    SELECT e.account_id, leg ->> 'refund_id', e.event_name,
           leg || jsonb_build_object('amount', leg -> 'value'), e.occurred_at, e.recorded_at,
           e.command_id, e.actor_role, e.partition, e.log_sequence
    FROM finance.events e
    CROSS JOIN LATERAL jsonb_array_elements(e.body -> 'returned') leg
    WHERE e.event_name = 'ReservationExchanged'
)
SELECT s.account_id, s.refund_id,
       row_number() OVER (PARTITION BY s.account_id, s.refund_id ORDER BY s.log_sequence) AS step,
       s.event_name, (s.body ->> 'attempt')::bigint AS attempt, s.recorded_at, s.occurred_at,
       coalesce(s.body ->> 'term_id', s.body ->> 'credit_memo_id', s.body ->> 'credit_id',
                s.body ->> 'card_id', s.body ->> 'invoice_id', s.body ->> 'task_id',
                s.body ->> 'gateway_reference') AS reference,
       coalesce(s.body ->> 'reason', s.body ->> 'rule', s.body ->> 'answer') AS reason,
       s.actor_role, s.command_id, s.partition, s.log_sequence
FROM steps s;
COMMENT ON VIEW finance.refund_progress IS
    'The steps of each refund, from its issue to its payment';
COMMENT ON COLUMN finance.refund_progress.account_id IS 'The account';
COMMENT ON COLUMN finance.refund_progress.refund_id IS 'The refund';
COMMENT ON COLUMN finance.refund_progress.step IS 'The step, from 1, in the order recorded';
COMMENT ON COLUMN finance.refund_progress.event_name IS 'What happened';
COMMENT ON COLUMN finance.refund_progress.attempt IS
    'The number of the refund''s card refund, from 1; release 0.1.0 did not record it';
COMMENT ON COLUMN finance.refund_progress.recorded_at IS 'When it was decided and recorded';
COMMENT ON COLUMN finance.refund_progress.occurred_at IS 'The business instant';
COMMENT ON COLUMN finance.refund_progress.reference IS
    'The term, memo, credit, card, invoice, task or gateway reference it names';
COMMENT ON COLUMN finance.refund_progress.reason IS 'The rule, the reason or the gateway''s answer it gives';
COMMENT ON COLUMN finance.refund_progress.actor_role IS 'In what role the command was given';
COMMENT ON COLUMN finance.refund_progress.command_id IS 'Its command';
COMMENT ON COLUMN finance.refund_progress.partition IS 'The partition of the events topic';
COMMENT ON COLUMN finance.refund_progress.log_sequence IS 'The number of the event in that partition';
