CREATE VIEW finance.outcomes AS
SELECT o.account_id, o.command_id, encode(o.command_digest, 'hex') AS command_digest,
       max(o.command_type) AS command_type, bool_or(o.refused) AS refused,
       array_agg(o.event_name ORDER BY o.log_sequence) AS event_names,
       array_agg(o.event_id ORDER BY o.log_sequence) AS event_ids,
       count(*) = max(o.event_count) AS complete,
       max(o.quote_id) AS quote_id, max(o.quote_currency) AS quote_currency,
       max(o.quote_amount * c.unit) AS quote_amount, max(o.quote_amount) AS quote_amount_minor,
       finance.instant(min(o.recorded_at)) AS recorded_at,
       o.partition, min(o.log_sequence) AS log_sequence
FROM read_models.outcomes o
LEFT JOIN finance.currencies c ON c.code = o.quote_currency
GROUP BY o.account_id, o.command_id, o.command_digest, o.partition;
COMMENT ON VIEW finance.outcomes IS 'The outcome of each command: its events, or its refusal';
COMMENT ON COLUMN finance.outcomes.account_id IS 'The account';
COMMENT ON COLUMN finance.outcomes.command_id IS 'The command';
COMMENT ON COLUMN finance.outcomes.command_digest IS
    'SHA-256 of its name, actor and body; the same id with other content is refused';
COMMENT ON COLUMN finance.outcomes.command_type IS 'The command''s name, if it was refused';
COMMENT ON COLUMN finance.outcomes.refused IS 'Whether it was refused';
COMMENT ON COLUMN finance.outcomes.event_names IS 'Its events, in order';
COMMENT ON COLUMN finance.outcomes.event_ids IS 'Their ids, in the same order';
COMMENT ON COLUMN finance.outcomes.complete IS 'Whether all its events are already here';
COMMENT ON COLUMN finance.outcomes.quote_id IS 'Its quote, if it asked for one';
COMMENT ON COLUMN finance.outcomes.quote_currency IS 'The currency of the quote (ISO 4217)';
COMMENT ON COLUMN finance.outcomes.quote_amount IS 'The amount with which that quote is confirmed';
COMMENT ON COLUMN finance.outcomes.quote_amount_minor IS 'The same in minor units';
COMMENT ON COLUMN finance.outcomes.recorded_at IS 'When it was decided';
COMMENT ON COLUMN finance.outcomes.partition IS 'The partition of the events topic';
COMMENT ON COLUMN finance.outcomes.log_sequence IS 'The number of the first event in that partition';
