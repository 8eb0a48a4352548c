CREATE VIEW finance.instances AS
SELECT i.account_id, i.instance_id, i.billing, i.product, i.region, i.state,
       finance.instant(i.ends_at) AS ends_at, finance.instant(i.recorded_at) AS recorded_at
FROM read_models.instances i;
COMMENT ON VIEW finance.instances IS 'The instances of each account';
COMMENT ON COLUMN finance.instances.account_id IS 'The account';
COMMENT ON COLUMN finance.instances.instance_id IS 'The instance';
COMMENT ON COLUMN finance.instances.billing IS 'PREPAID (包年包月) or POSTPAID (按量计费)';
COMMENT ON COLUMN finance.instances.product IS 'What was bought';
COMMENT ON COLUMN finance.instances.region IS 'Where it runs';
COMMENT ON COLUMN finance.instances.state IS 'RUNNING, ISOLATED (in the recycle bin) or DESTROYED';
COMMENT ON COLUMN finance.instances.ends_at IS
    'The end of its orders; empty if no order runs or it is postpaid';
COMMENT ON COLUMN finance.instances.recorded_at IS 'When the instance was first recorded';
