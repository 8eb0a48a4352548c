-- The newest events of an account, and those since a number, without those before.
CREATE INDEX outcomes_of_accounts ON read_models.outcomes (account_id, sequence);
-- Refunds that wait for a person are few, however many there are.
CREATE INDEX refunds_held ON read_models.refunds (issued_at, account_id, refund_id)
    WHERE state = 'HELD';

-- Who does what waits for a person, so that no two do the same.
CREATE TABLE web.work (
    kind text NOT NULL CHECK (kind IN ('REFUND', 'LETTER')),
    account_id text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    taken_by text COLLATE "C" NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, account_id, id)
);
COMMENT ON TABLE web.work IS 'Who has taken a refund that waits for a person, or a dead letter';

CREATE TABLE web.tasks_done (
    account_id text COLLATE "C" NOT NULL,
    task_id text COLLATE "C" NOT NULL,
    done_by text COLLATE "C" NOT NULL,
    done_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, task_id)
);
COMMENT ON TABLE web.tasks_done IS 'The support tasks of which a person has said that they are done';
