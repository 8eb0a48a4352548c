-- Who may do what at the console: what is a person's own, a second factor, people whom another system
-- signs in, and acts that wait for a second person.
ALTER TABLE web.people
    ALTER COLUMN password_digest DROP NOT NULL,
    ADD COLUMN accounts text[] NOT NULL DEFAULT '{}',
    ADD COLUMN vendors text[] NOT NULL DEFAULT '{}',
    ADD COLUMN buyer_id text,
    ADD COLUMN issuer text,
    ADD COLUMN subject text,
    ADD COLUMN totp_secret bytea,
    ADD COLUMN totp_wrapped boolean NOT NULL DEFAULT false,
    ADD COLUMN totp_step bigint NOT NULL DEFAULT 0;
COMMENT ON TABLE web.people IS
    'Who signs in: by a password, of which this is the argon2id digest, or by another system';
CREATE UNIQUE INDEX people_of_issuers ON web.people (issuer, subject);

ALTER TABLE web.tokens
    ADD COLUMN accounts text[] NOT NULL DEFAULT '{}',
    ADD COLUMN vendors text[] NOT NULL DEFAULT '{}',
    ADD COLUMN buyer_id text;

-- What a vendor sold.
CREATE INDEX outcomes_of_vendors ON read_models.outcomes ((body ->> 'vendor_id'))
    WHERE event_name = 'MarketplacePurchaseRecorded';

CREATE TABLE web.sign_ins (
    browser_digest bytea PRIMARY KEY,
    state text NOT NULL,
    nonce text NOT NULL,
    verifier text NOT NULL,
    next text NOT NULL,
    ends_at timestamptz NOT NULL
);
COMMENT ON TABLE web.sign_ins IS
    'Sign-ins that the provider has yet to answer; the cookie has the secret, this table its SHA-256';

CREATE TABLE web.proposals (
    account_id text COLLATE "C" NOT NULL,
    command_id text COLLATE "C" NOT NULL,
    command_name text NOT NULL,
    digest bytea NOT NULL,
    command jsonb NOT NULL,
    reason text NOT NULL,
    proposed_by text COLLATE "C" NOT NULL,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    waits_until timestamptz NOT NULL,
    decision text CHECK (decision IN ('APPROVED', 'DECLINED')),
    decided_by text COLLATE "C" CHECK (decided_by <> proposed_by OR decision = 'DECLINED'),
    decided_at timestamptz,
    published_at timestamptz,
    PRIMARY KEY (account_id, command_id)
);
CREATE INDEX proposals_by_time ON web.proposals (proposed_at);
CREATE INDEX proposals_to_publish ON web.proposals (decided_at)
    WHERE decision = 'APPROVED' AND published_at IS NULL;
COMMENT ON TABLE web.proposals IS
    'Commands that wait for a second person; what was approved is published with the same id';
