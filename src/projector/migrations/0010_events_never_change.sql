-- An event that is shown is never changed and never removed, whoever asks. The only way is another
-- table in its place, which a rebuild makes from the log. A migration that has to empty it disables
-- the trigger before, and enables it afterwards.
CREATE FUNCTION read_models.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%.% keeps every event as it is: % is refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
        USING HINT = 'run ''refundctl rebuild --view outcomes'' to fill it again from the log';
END $$;
COMMENT ON FUNCTION read_models.refuse_change() IS 'Refuses the statement that fires it';
CREATE TRIGGER events_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON read_models.outcomes
    FOR EACH STATEMENT EXECUTE FUNCTION read_models.refuse_change();
