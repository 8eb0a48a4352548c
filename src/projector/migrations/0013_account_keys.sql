-- The keys under which the free texts of an account are sealed. A key is kept encrypted under the master
-- key, which is in a file and never here. A destroyed key keeps its row, so that its number is not used again.
CREATE SCHEMA secrets;
COMMENT ON SCHEMA secrets IS 'Keys of accounts; keep its backups apart from those of the master key';

CREATE TABLE secrets.account_keys (
    account_id text COLLATE "C" NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    wrapped bytea,
    made_at timestamptz NOT NULL DEFAULT now(),
    destroyed_at timestamptz,
    PRIMARY KEY (account_id, number),
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);
COMMENT ON TABLE secrets.account_keys IS 'A destroyed key has no bytes: what it sealed is erased';
