CREATE VIEW finance.events AS
SELECT o.partition, o.log_sequence, o.account_id, o.sequence, o.event_name, o.event_id,
       finance.instant(o.occurred_at) AS occurred_at, finance.instant(o.recorded_at) AS recorded_at,
       o.command_id, o.event_index, o.event_count, o.correlation_id, o.actor_id, o.actor_role,
       o.terms, o.edition, o.origin, o.origin_key, o.origins, o.approved_by, o.body
FROM read_models.outcomes o;
COMMENT ON VIEW finance.events IS 'Every event of the log';
COMMENT ON COLUMN finance.events.partition IS 'The partition of the events topic';
COMMENT ON COLUMN finance.events.log_sequence IS 'The number of the event in that partition';
COMMENT ON COLUMN finance.events.account_id IS 'The account';
COMMENT ON COLUMN finance.events.sequence IS 'The number of the event in its account, from 1, without gaps';
COMMENT ON COLUMN finance.events.event_name IS 'What happened';
COMMENT ON COLUMN finance.events.event_id IS 'The event';
COMMENT ON COLUMN finance.events.occurred_at IS 'The business instant; for a timer its deadline';
COMMENT ON COLUMN finance.events.recorded_at IS 'When it was decided and recorded';
COMMENT ON COLUMN finance.events.command_id IS 'Its command';
COMMENT ON COLUMN finance.events.event_index IS 'Its number among the events of that command, from 0';
COMMENT ON COLUMN finance.events.event_count IS 'The number of events of that command';
COMMENT ON COLUMN finance.events.correlation_id IS 'The first command in the chain of causes';
COMMENT ON COLUMN finance.events.actor_id IS 'Who gave the command';
COMMENT ON COLUMN finance.events.actor_role IS 'In what role';
COMMENT ON COLUMN finance.events.terms IS 'The version of the terms used';
COMMENT ON COLUMN finance.events.edition IS
    'How the rules were applied: 1 as in release 0.1.0, 2 as in later releases';
COMMENT ON COLUMN finance.events.origin IS
    'Who gave the command, proven by a signature; empty where that was not proven, or not asked';
COMMENT ON COLUMN finance.events.origin_key IS 'The key by which the origin is proven';
COMMENT ON COLUMN finance.events.origins IS
    'The version of the table of origins by which the command was taken; empty where there was none';
COMMENT ON COLUMN finance.events.approved_by IS
    'The second person of an act that waited for one; empty where none was needed';
COMMENT ON COLUMN finance.events.body IS
    'The complete body: amounts in minor units, instants in microseconds and days in days since 1970';
