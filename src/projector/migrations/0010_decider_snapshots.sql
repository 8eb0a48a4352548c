-- The state of each partition, where every decider can reach it: a machine without a local file
-- begins from it. All of it can be folded from the events again, so it may be deleted at any time.

CREATE TABLE consumers.decider_snapshots (
    partition integer PRIMARY KEY,
    owner text NOT NULL,
    place bytea,
    log_sequence bigint,
    revision bigint,
    written_at timestamptz
) WITH (fillfactor = 50);
COMMENT ON TABLE consumers.decider_snapshots IS
    'Who owns the snapshot of each partition, and up to which event it holds the state; no place: nothing yet';

CREATE TABLE consumers.decider_entities (
    partition integer NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    entity_id text COLLATE "C" NOT NULL,
    value bytea NOT NULL,
    PRIMARY KEY (partition, account_id, kind, entity_id)
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05);
COMMENT ON TABLE consumers.decider_entities IS 'The entities of the snapshots, in the decider''s own form';
