-- Who approved a command that waited for a second person, as its events say it.
ALTER TABLE read_models.outcomes ADD COLUMN approved_by text NOT NULL DEFAULT '';
ALTER TABLE read_models.outcomes ALTER COLUMN approved_by DROP DEFAULT;
