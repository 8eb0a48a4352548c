-- Who gave a command, as its events say it. Of all events before there were origins, nobody asked.
ALTER TABLE read_models.outcomes
    ADD COLUMN origin text NOT NULL DEFAULT '',
    ADD COLUMN origin_key text NOT NULL DEFAULT '',
    ADD COLUMN origins text NOT NULL DEFAULT '';
ALTER TABLE read_models.outcomes
    ALTER COLUMN origin DROP DEFAULT,
    ALTER COLUMN origin_key DROP DEFAULT,
    ALTER COLUMN origins DROP DEFAULT;
