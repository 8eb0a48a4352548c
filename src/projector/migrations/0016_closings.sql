-- The closings of months: who asked, how far each came, and its protocol. The files of a closed month can be
-- made again at any time, and always have the same bytes; the protocol has their digests.
CREATE TABLE web.closings (
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    run integer NOT NULL CHECK (run > 0),
    asked_by text NOT NULL,
    state text NOT NULL CHECK (state IN ('RUNNING', 'DONE', 'FAILED')),
    step text NOT NULL,
    share integer NOT NULL DEFAULT 0 CHECK (share BETWEEN 0 AND 100),
    began_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    reason text,
    protocol jsonb,
    PRIMARY KEY (month, run)
);
COMMENT ON TABLE web.closings IS
    'One row for each closing of a month; one that runs holds an advisory lock while its process lives';
