-- What a search of the events begins with, so that none reads the whole table. A refund's events are found
-- by its account, which its own row names.
CREATE INDEX outcomes_of_commands ON read_models.outcomes (command_id);
CREATE INDEX outcomes_of_stories ON read_models.outcomes (correlation_id)
    WHERE correlation_id <> command_id;
CREATE INDEX outcomes_of_kinds ON read_models.outcomes
    (event_name, recorded_at, partition, log_sequence);
CREATE INDEX refunds_ids ON read_models.refunds (refund_id);
