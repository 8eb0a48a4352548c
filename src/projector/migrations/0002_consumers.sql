-- What the consumers keep for themselves: how far each has read, what is due, the sandbox's time.

CREATE SCHEMA consumers;
COMMENT ON SCHEMA consumers IS 'Positions, deadlines and the sandbox clock; not for people';

CREATE TABLE consumers.checkpoints (
    consumer text NOT NULL,
    partition integer NOT NULL,
    topic_id text NOT NULL,
    next_offset bigint NOT NULL,
    log_sequence bigint NOT NULL,
    last_hash bytea NOT NULL,
    PRIMARY KEY (consumer, partition)
) WITH (fillfactor = 50);
COMMENT ON TABLE consumers.checkpoints IS
    'How far each consumer has read each partition of the events topic, and the last event''s hash';

CREATE TABLE consumers.deadlines (
    partition integer NOT NULL,
    id text COLLATE "C" NOT NULL,
    due_at bigint NOT NULL,
    command_name text NOT NULL,
    command bytea NOT NULL,
    state text NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'RELEASED', 'SENT', 'CANCELLED')),
    attempt integer NOT NULL DEFAULT 1,
    sent_at bigint,
    PRIMARY KEY (partition, id)
);
COMMENT ON TABLE consumers.deadlines IS 'Commands to be sent at an instant, unless cancelled first';
CREATE INDEX deadlines_pending ON consumers.deadlines (due_at, id)
    WHERE state = 'PENDING';
CREATE INDEX deadlines_released ON consumers.deadlines (due_at, id)
    WHERE state = 'RELEASED';

CREATE TABLE consumers.sandbox_clock (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    now_at bigint NOT NULL
);
COMMENT ON TABLE consumers.sandbox_clock IS
    'The instant a sandbox stands at (micros); empty where time is the world''s own';
