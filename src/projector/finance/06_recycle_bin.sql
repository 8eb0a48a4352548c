CREATE VIEW finance.recycle_bin AS
SELECT b.account_id, b.instance_id, b.isolation_id, b.reason,
       CASE WHEN b.state = 'ISOLATED' AND EXISTS (
           SELECT FROM read_models.recycle_bin later
           WHERE later.account_id = b.account_id AND later.instance_id = b.instance_id
             AND (later.isolated_at, later.recorded_at) > (b.isolated_at, b.recorded_at)
       ) THEN 'ISOLATED_ANEW' ELSE b.state END AS state,
       finance.instant(b.isolated_at) AS isolated_at,
       finance.instant(b.restore_until) AS restore_until,
       CASE WHEN b.state = 'ISOLATED' THEN
           greatest(finance.instant(b.restore_until) - finance.now(), interval '0')
       END AS time_left,
       b.averted_by, finance.instant(b.restored_at) AS restored_at,
       finance.instant(b.destroyed_at) AS destroyed_at, b.destroyed_because,
       r.refund_id, r.currency AS refund_currency, r.amount * r.unit AS refund_amount,
       r.amount AS refund_amount_minor
FROM read_models.recycle_bin b
-- OFFSET keeps it a search for one row's refund: an account may have very many.
LEFT JOIN LATERAL (
    SELECT f.refund_id, f.currency, f.amount, c.unit
    FROM read_models.refunds f
    JOIN finance.currencies c ON c.code = f.currency
    WHERE f.account_id = b.account_id AND f.command_id = b.command_id
      AND f.source_kind = 'INSTANCE' AND f.source_id = b.instance_id
    OFFSET 0
) r ON b.reason = 'RETURNED';
COMMENT ON VIEW finance.recycle_bin IS 'Every isolation: why, until when, and how it ended';
COMMENT ON COLUMN finance.recycle_bin.account_id IS 'The account';
COMMENT ON COLUMN finance.recycle_bin.instance_id IS 'The instance';
COMMENT ON COLUMN finance.recycle_bin.isolation_id IS 'This stay in the recycle bin; every stay has its own id';
COMMENT ON COLUMN finance.recycle_bin.reason IS 'RETURNED, DESTROYED_BY_OWNER or EXPIRED';
COMMENT ON COLUMN finance.recycle_bin.state IS
    'ISOLATED, RESTORED, DESTROYED, or ISOLATED_ANEW if a later stay has replaced it';
COMMENT ON COLUMN finance.recycle_bin.isolated_at IS 'When the stay began; no charge accrues from then on';
COMMENT ON COLUMN finance.recycle_bin.restore_until IS 'The last instant at which it may be restored';
COMMENT ON COLUMN finance.recycle_bin.time_left IS 'From now to that instant, while it is isolated';
COMMENT ON COLUMN finance.recycle_bin.averted_by IS 'The renewal order that averts the destruction';
COMMENT ON COLUMN finance.recycle_bin.restored_at IS 'When it was restored';
COMMENT ON COLUMN finance.recycle_bin.destroyed_at IS 'When it was destroyed';
COMMENT ON COLUMN finance.recycle_bin.destroyed_because IS 'RETENTION_ELAPSED or TAKEN_OFFLINE';
COMMENT ON COLUMN finance.recycle_bin.refund_id IS 'The refund of the return';
COMMENT ON COLUMN finance.recycle_bin.refund_currency IS 'The currency of that refund (ISO 4217)';
COMMENT ON COLUMN finance.recycle_bin.refund_amount IS 'The amount of that refund';
COMMENT ON COLUMN finance.recycle_bin.refund_amount_minor IS 'The same in minor units';
