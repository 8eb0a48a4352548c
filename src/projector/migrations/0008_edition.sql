-- How the rules were applied when an event was decided: with it, what the read models hold of an
-- account can be folded again. All that was shown before there were editions is of the first one.
ALTER TABLE read_models.outcomes ADD COLUMN edition integer NOT NULL DEFAULT 1;
ALTER TABLE read_models.outcomes ALTER COLUMN edition DROP DEFAULT;
