CREATE OR REPLACE FUNCTION finance.instant(micros bigint) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    RETURN timestamptz 'epoch' + micros * interval '1 microsecond';
COMMENT ON FUNCTION finance.instant IS 'Microseconds since 1970-01-01T00:00:00Z as a timestamp';

CREATE OR REPLACE FUNCTION finance.micros(instant timestamptz) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    RETURN (extract(epoch FROM instant) * 1000000)::bigint;
COMMENT ON FUNCTION finance.micros IS 'A timestamp as microseconds since 1970-01-01T00:00:00Z';

CREATE OR REPLACE FUNCTION finance.half_up(numerator numeric, denominator numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    RETURN div(2 * numerator + denominator, 2 * denominator);
COMMENT ON FUNCTION finance.half_up IS
    'The quotient of two non-negative whole numbers, rounded half up, exactly';

CREATE VIEW finance.sandbox_clock AS
SELECT finance.instant(s.now_at) AS now FROM consumers.sandbox_clock s;
COMMENT ON VIEW finance.sandbox_clock IS
    'The present of a sandbox''s clock; empty if the ledger uses real time';
COMMENT ON COLUMN finance.sandbox_clock.now IS 'The sandbox''s present';

CREATE OR REPLACE FUNCTION finance.now() RETURNS timestamptz
    LANGUAGE sql STABLE AS
    'SELECT coalesce((SELECT s.now FROM finance.sandbox_clock s), pg_catalog.now())';
COMMENT ON FUNCTION finance.now IS 'The present; in a sandbox that of its clock';

CREATE VIEW finance.reached AS
SELECT c.partition, c.log_sequence + 1 AS events, finance.instant(o.recorded_at) AS last_recorded_at,
       finance.instant(h.reached_at) AS reached_until
FROM consumers.checkpoints c
LEFT JOIN read_models.outcomes o USING (partition, log_sequence)
LEFT JOIN consumers.horizons h USING (consumer)
WHERE c.consumer = 'projector';
COMMENT ON VIEW finance.reached IS 'The progress of the views, by partition of the events topic';
COMMENT ON COLUMN finance.reached.partition IS 'The partition of the events topic';
COMMENT ON COLUMN finance.reached.events IS 'The number of its events that are shown';
COMMENT ON COLUMN finance.reached.last_recorded_at IS 'When the last of them was recorded';
COMMENT ON COLUMN finance.reached.reached_until IS
    'Every event recorded before this instant, in any partition, is shown; no more can come';

CREATE FUNCTION finance.answerable(as_of timestamptz, known_at timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
    present CONSTANT timestamptz := finance.now();
    reached CONSTANT timestamptz := (SELECT max(r.reached_until) FROM finance.reached r);
    began CONSTANT timestamptz := (
        SELECT min(e.recorded_at) FROM finance.reached r
        JOIN finance.events e ON e.partition = r.partition AND e.log_sequence = 1);
    asked timestamptz;
BEGIN
    FOREACH asked IN ARRAY ARRAY[as_of, known_at] LOOP
        IF asked > present THEN
            RAISE invalid_parameter_value USING MESSAGE = format(
                '%s lies in the future: the present is %s', finance.told(asked), finance.told(present));
        ELSIF asked < began OR asked IS NOT NULL AND began IS NULL THEN
            RAISE invalid_parameter_value USING MESSAGE = format(
                '%s is before the ledger began: %s', finance.told(asked),
                coalesce('its first event was recorded at ' || finance.told(began), 'it has no event yet'));
        ELSIF asked >= coalesce(reached, '-infinity') THEN
            RAISE invalid_parameter_value USING MESSAGE = format(
                '%s is not answerable yet: %s', finance.told(asked), coalesce(
                    'every partition is known to have reached ' || finance.told(reached)
                    || '; ask about an instant before it, or again later',
                    'the progress of the partitions is not known yet; ask again later'));
        END IF;
    END LOOP;
    RETURN true;
END $$;
COMMENT ON FUNCTION finance.answerable IS
    'True, or an error that says why a question about these instants has no final answer';

CREATE FUNCTION finance.told(instant timestamptz) RETURNS text
    LANGUAGE sql STABLE STRICT
    RETURN to_char(instant AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')
        || regexp_replace(to_char(instant AT TIME ZONE 'UTC', '.US'), '\.?0*$', '') || 'Z';
COMMENT ON FUNCTION finance.told IS 'An instant as RFC 3339 in UTC';
