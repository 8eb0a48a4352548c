-- The webhooks, and what waits to be sent to them. Instants are micros, except those that only people read.
CREATE SCHEMA webhooks;
COMMENT ON SCHEMA webhooks IS 'Programs elsewhere that are told of events, and what they are still to be told';

CREATE TABLE webhooks.hooks (
    id text COLLATE "C" PRIMARY KEY,
    url text NOT NULL,
    events text[] NOT NULL,
    starts bigint[] NOT NULL,
    secret_number integer NOT NULL DEFAULT 1 CHECK (secret_number > 0),
    previous_until timestamptz,
    sent bigint NOT NULL DEFAULT 0,
    last_sent_at bigint,
    failures integer NOT NULL DEFAULT 0,
    failing_since bigint,
    rests_until bigint,
    made_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    ended_why text,
    CHECK ((ended_at IS NULL) = (ended_why IS NULL))
);
COMMENT ON TABLE webhooks.hooks IS
    'No events: it is told of all. starts has the first offset of each partition; failures counts the accounts that fail since the last success';

CREATE TABLE webhooks.secrets (
    hook_id text COLLATE "C" NOT NULL REFERENCES webhooks.hooks,
    number integer NOT NULL CHECK (number > 0),
    secret bytea NOT NULL,
    wrapped boolean NOT NULL,
    PRIMARY KEY (hook_id, number)
);
COMMENT ON TABLE webhooks.secrets IS
    'What signs the requests of a hook: wrapped under the master key, or plain where there is none';

CREATE TABLE webhooks.queues (
    hook_id text COLLATE "C" NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    state text NOT NULL DEFAULT 'WAITING' CHECK (state IN ('WAITING', 'DEAD')),
    due_at bigint NOT NULL,
    waits_since bigint NOT NULL,
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    failing_since bigint,
    said text,
    PRIMARY KEY (hook_id, account_id)
) WITH (fillfactor = 50);
COMMENT ON TABLE webhooks.queues IS
    'The accounts of which a hook is still to be told something; its deliveries are sent one after the other';
CREATE INDEX queues_fresh ON webhooks.queues (hook_id, due_at) WHERE state = 'WAITING' AND failures = 0;
CREATE INDEX queues_failing ON webhooks.queues (hook_id, due_at) WHERE state = 'WAITING' AND failures > 0;

CREATE TABLE webhooks.deliveries (
    hook_id text COLLATE "C" NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    log_offset bigint NOT NULL,
    webhook_id text NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (hook_id, account_id, log_offset)
);
COMMENT ON TABLE webhooks.deliveries IS 'What is still to be sent, as it is sent at every repeat';
