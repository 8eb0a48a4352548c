-- The tables the projector fills. Instants are microseconds since 1970-01-01T00:00:00Z, amounts
-- are in the minor unit of the currency beside them; people read the views of schema finance.

CREATE SCHEMA read_models;
COMMENT ON SCHEMA read_models IS
    'What the events add up to, written by the projector alone; read the views of schema finance';

CREATE TABLE read_models.accounts (
    account_id text COLLATE "C" PRIMARY KEY,
    account_type text NOT NULL,
    us_government boolean NOT NULL,
    currency text NOT NULL,
    in_arrears boolean NOT NULL,
    card_id text,
    opened_at bigint NOT NULL,
    partition integer NOT NULL
);
COMMENT ON TABLE read_models.accounts IS 'One row per account';

CREATE TABLE read_models.balances (
    account_id text COLLATE "C" PRIMARY KEY,
    currency text NOT NULL,
    cash numeric NOT NULL,
    gift numeric NOT NULL
) WITH (fillfactor = 70);
COMMENT ON TABLE read_models.balances IS 'Refunds credited to each account, by fund';

CREATE TABLE read_models.instances (
    account_id text COLLATE "C" NOT NULL,
    instance_id text COLLATE "C" NOT NULL,
    billing text NOT NULL,
    product text NOT NULL,
    region text NOT NULL,
    state text NOT NULL,
    ends_at bigint,
    recorded_at bigint NOT NULL,
    PRIMARY KEY (account_id, instance_id)
);
COMMENT ON TABLE read_models.instances IS 'One row per instance';

CREATE TABLE read_models.recycle_bin (
    account_id text COLLATE "C" NOT NULL,
    isolation_id text COLLATE "C" NOT NULL,
    instance_id text COLLATE "C" NOT NULL,
    reason text NOT NULL,
    state text NOT NULL,
    isolated_at bigint NOT NULL,
    restore_until bigint NOT NULL,
    averted_by text,
    restored_at bigint,
    destroyed_at bigint,
    destroyed_because text,
    command_id text COLLATE "C" NOT NULL,
    recorded_at bigint NOT NULL,
    PRIMARY KEY (account_id, isolation_id)
);
COMMENT ON TABLE read_models.recycle_bin IS 'One row per isolation of an instance';
CREATE INDEX recycle_bin_instance ON read_models.recycle_bin (account_id, instance_id);
CREATE INDEX recycle_bin_open ON read_models.recycle_bin (restore_until) WHERE state = 'ISOLATED';

CREATE TABLE read_models.refunds (
    account_id text COLLATE "C" NOT NULL,
    refund_id text COLLATE "C" NOT NULL,
    source_kind text NOT NULL,
    source_id text NOT NULL,
    rule text,
    currency text NOT NULL,
    gross bigint NOT NULL,
    fee bigint NOT NULL,
    amount bigint NOT NULL,
    cash bigint,
    gift bigint,
    original bigint,
    state text NOT NULL,
    auto_approved boolean,
    quota_spent boolean NOT NULL,
    ticket text,
    issued_at bigint NOT NULL,
    occurred_at bigint NOT NULL,
    expected_arrival_at bigint,
    settled_at bigint,
    held_because text,
    corrected_at bigint,
    corrected_because text,
    command_id text COLLATE "C" NOT NULL,
    working jsonb NOT NULL,
    PRIMARY KEY (account_id, refund_id)
) WITH (fillfactor = 80);
COMMENT ON TABLE read_models.refunds IS
    'One row per refund, the returned legs of an exchange included';
CREATE INDEX refunds_command ON read_models.refunds (account_id, command_id);

CREATE TABLE read_models.annual_refund_totals (
    account_id text COLLATE "C" NOT NULL,
    refund_id text COLLATE "C" NOT NULL,
    recorded_at bigint NOT NULL,
    occurred_at bigint NOT NULL,
    counts boolean NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL,
    refund_usd bigint,
    cancelled_commitment_usd bigint,
    usd_rate text,
    corrected_at bigint,
    cap_restored boolean NOT NULL,
    PRIMARY KEY (account_id, refund_id)
);
COMMENT ON TABLE read_models.annual_refund_totals IS
    'One fact per refund: when it counts from, what it counts, and whether it still does';
CREATE INDEX annual_refund_totals_recent
    ON read_models.annual_refund_totals (account_id, recorded_at);

CREATE TABLE read_models.refusals (
    partition integer NOT NULL,
    log_sequence bigint NOT NULL,
    position integer NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    command_id text COLLATE "C" NOT NULL,
    command_type text NOT NULL,
    actor_id text NOT NULL,
    actor_role text NOT NULL,
    rule text NOT NULL,
    code text NOT NULL,
    message text NOT NULL,
    figures jsonb NOT NULL,
    recorded_at bigint NOT NULL,
    PRIMARY KEY (partition, log_sequence, position)
);
COMMENT ON TABLE read_models.refusals IS 'One row per rule that a refused command violated';
CREATE INDEX refusals_account ON read_models.refusals (account_id, recorded_at);

CREATE TABLE read_models.postings (
    partition integer NOT NULL,
    log_sequence bigint NOT NULL,
    line integer NOT NULL,
    event_id text NOT NULL,
    event_name text NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    transaction integer NOT NULL,
    ledger_account text NOT NULL,
    side text NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    recorded_at bigint NOT NULL,
    occurred_at bigint NOT NULL,
    PRIMARY KEY (partition, log_sequence, line)
);
COMMENT ON TABLE read_models.postings IS 'One row per debit or credit line';
CREATE INDEX postings_account ON read_models.postings (account_id, recorded_at);

CREATE TABLE read_models.outcomes (
    partition integer NOT NULL,
    log_sequence bigint NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    command_id text COLLATE "C" NOT NULL,
    command_digest bytea NOT NULL,
    event_index integer NOT NULL,
    event_count integer NOT NULL,
    event_id text NOT NULL,
    event_name text NOT NULL,
    sequence bigint NOT NULL,
    refused boolean NOT NULL,
    command_type text,
    quote_id text,
    quote_amount bigint,
    quote_currency text,
    recorded_at bigint NOT NULL,
    occurred_at bigint NOT NULL,
    PRIMARY KEY (partition, log_sequence)
);
COMMENT ON TABLE read_models.outcomes IS 'One row per event, found by the command that led to it';
CREATE INDEX outcomes_command ON read_models.outcomes (account_id, command_id);
