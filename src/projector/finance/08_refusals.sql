CREATE VIEW finance.refusals AS
SELECT r.account_id, r.command_id, r.command_type, r.position, r.rule, r.code, r.message,
       r.figures, r.actor_id, r.actor_role, finance.instant(r.recorded_at) AS refused_at,
       r.partition, r.log_sequence
FROM read_models.refusals r;
COMMENT ON VIEW finance.refusals IS 'Every rule that a refused command violated';
COMMENT ON COLUMN finance.refusals.account_id IS 'The account';
COMMENT ON COLUMN finance.refusals.command_id IS 'The refused command';
COMMENT ON COLUMN finance.refusals.command_type IS 'Its name';
COMMENT ON COLUMN finance.refusals.position IS 'From 1, in order of precedence';
COMMENT ON COLUMN finance.refusals.rule IS 'The rule violated';
COMMENT ON COLUMN finance.refusals.code IS 'The code, for programs';
COMMENT ON COLUMN finance.refusals.message IS 'A sentence for people, with the next step';
COMMENT ON COLUMN finance.refusals.figures IS 'The figures that were compared';
COMMENT ON COLUMN finance.refusals.actor_id IS 'Who gave the command';
COMMENT ON COLUMN finance.refusals.actor_role IS 'In what role';
COMMENT ON COLUMN finance.refusals.refused_at IS 'When it was decided';
COMMENT ON COLUMN finance.refusals.partition IS 'The partition of the events topic';
COMMENT ON COLUMN finance.refusals.log_sequence IS 'The number of the event in that partition';
