-- Which read models hold the log from its first event on. One that a newer program adds holds
-- nothing of what came before it, until the projector has filled it beside the others.

CREATE TABLE consumers.filled_views (
    view text PRIMARY KEY,
    definition text NOT NULL,
    filled_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE consumers.filled_views IS
    'The read models that hold the log from its first event on, and the columns they had then';
