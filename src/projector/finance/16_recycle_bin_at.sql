CREATE FUNCTION finance.recycle_bin_at(
    as_of timestamptz DEFAULT NULL, known_at timestamptz DEFAULT NULL)
RETURNS TABLE (
    account_id text, instance_id text, isolation_id text, reason text, state text,
    isolated_at timestamptz, restore_until timestamptz, time_left interval, averted_by text,
    restored_at timestamptz, destroyed_at timestamptz, destroyed_because text, refund_id text,
    refund_currency text, refund_amount numeric, refund_amount_minor bigint
)
LANGUAGE sql STABLE AS $$
WITH known AS NOT MATERIALIZED (
    SELECT e.* FROM finance.events e
    WHERE finance.answerable(as_of, known_at)
      AND (as_of IS NULL OR e.occurred_at <= as_of)
      AND (known_at IS NULL OR e.recorded_at <= known_at)
), stays AS (
    SELECT k.account_id, k.log_sequence, k.command_id, k.body ->> 'instance_id' AS instance_id,
           k.body ->> 'isolation_id' AS isolation_id, k.body ->> 'reason' AS reason,
           (k.body ->> 'isolated_at')::bigint AS isolated_at,
           (k.body ->> 'restore_until')::bigint AS restore_until,
           lead(k.log_sequence) OVER (
               PARTITION BY k.account_id, k.body ->> 'instance_id' ORDER BY k.log_sequence
           ) IS NOT NULL AS replaced
    FROM known k WHERE k.event_name = 'InstanceIsolated'
), ends AS (
    SELECT k.account_id, k.body ->> 'isolation_id' AS isolation_id,
           max((k.body ->> 'restored_at')::bigint)
               FILTER (WHERE k.event_name = 'InstanceRestored') AS restored_at,
           max(k.occurred_at) FILTER (WHERE k.event_name = 'InstanceDestroyed') AS destroyed_at,
           max(k.body ->> 'reason') FILTER (WHERE k.event_name = 'InstanceDestroyed') AS because
    FROM known k WHERE k.event_name IN ('InstanceRestored', 'InstanceDestroyed')
    GROUP BY k.account_id, k.body ->> 'isolation_id'
), averted AS (
    SELECT DISTINCT ON (k.account_id, stay.isolation_id)
           k.account_id, stay.isolation_id, k.body ->> 'order_id' AS order_id
    FROM known k
    CROSS JOIN LATERAL jsonb_array_elements_text(k.body -> 'averted_isolation_ids')
        AS stay (isolation_id)
    WHERE k.event_name = 'InstanceOrderRecorded' AND k.body ? 'averted_isolation_ids'
    ORDER BY k.account_id, stay.isolation_id, k.log_sequence DESC
), returned AS (
    SELECT k.account_id, k.command_id, k.body #>> '{source,id}' AS instance_id,
           k.body ->> 'refund_id' AS refund_id, k.body ->> 'currency' AS currency,
           (k.body ->> 'amount')::bigint AS amount
    FROM known k
    WHERE k.event_name = 'RefundIssued' AND k.body ? 'refund_id'
      AND k.body #>> '{source,kind}' = 'INSTANCE'
)
SELECT s.account_id, s.instance_id, s.isolation_id, s.reason, CASE
           WHEN x.destroyed_at IS NOT NULL THEN 'DESTROYED'
           WHEN x.restored_at IS NOT NULL THEN 'RESTORED'
           WHEN s.replaced THEN 'ISOLATED_ANEW' ELSE 'ISOLATED' END,
       finance.instant(s.isolated_at), finance.instant(s.restore_until),
       CASE WHEN x.isolation_id IS NULL THEN greatest(interval '0',
           finance.instant(s.restore_until) - coalesce(as_of, finance.now())) END,
       v.order_id, finance.instant(x.restored_at), x.destroyed_at, x.because, r.refund_id,
       r.currency, r.amount * c.unit, r.amount
FROM stays s
LEFT JOIN ends x ON x.account_id = s.account_id AND x.isolation_id = s.isolation_id
LEFT JOIN averted v ON v.account_id = s.account_id AND v.isolation_id = s.isolation_id
LEFT JOIN returned r
    ON s.reason = 'RETURNED' AND r.account_id = s.account_id AND r.command_id = s.command_id
    AND r.instance_id = s.instance_id
LEFT JOIN finance.currencies c ON c.code = r.currency
$$;
COMMENT ON FUNCTION finance.recycle_bin_at IS
    'The recycle bin as of a business instant, as it was known at another; both default to the present';
