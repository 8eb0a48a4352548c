-- The people and programs that use the web console, and what they are signed in with. No password, token
-- or session id stands here: only their digests, from which none can be had back.
CREATE SCHEMA web;
COMMENT ON SCHEMA web IS 'Who may use the console, and who is signed in';

CREATE TABLE web.people (
    name text COLLATE "C" PRIMARY KEY,
    password_digest text NOT NULL,
    principals text[] NOT NULL CHECK (cardinality(principals) > 0),
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    locked_until timestamptz,
    ended_at timestamptz,
    made_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE web.people IS 'Local users; the digest of a password is argon2id';

CREATE TABLE web.sessions (
    id_digest bytea PRIMARY KEY,
    name text COLLATE "C" NOT NULL REFERENCES web.people,
    csrf text NOT NULL,
    began_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz NOT NULL DEFAULT now(),
    ends_at timestamptz NOT NULL
);
CREATE INDEX sessions_of_people ON web.sessions (name);
COMMENT ON TABLE web.sessions IS 'Who is signed in; the cookie has the id, this table its SHA-256';

CREATE TABLE web.tokens (
    id_digest bytea PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    principals text[] NOT NULL CHECK (cardinality(principals) > 0),
    made_at timestamptz NOT NULL DEFAULT now(),
    ends_at timestamptz NOT NULL
);
COMMENT ON TABLE web.tokens IS 'What programs sign in with; the program has the token, this table its SHA-256';
