-- By which command a deadline is known, so that the refusal of one that came too early finds it.

ALTER TABLE consumers.deadlines ADD COLUMN command_id text;
COMMENT ON COLUMN consumers.deadlines.command_id IS
    'The id under which its command is sent at the present attempt; of rows older than this column none';
CREATE INDEX deadlines_by_command ON consumers.deadlines (command_id);
