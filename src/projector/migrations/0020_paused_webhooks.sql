-- A hook that is paused is sent nothing; what is recorded meanwhile waits.
ALTER TABLE webhooks.hooks ADD COLUMN paused_at timestamptz;
