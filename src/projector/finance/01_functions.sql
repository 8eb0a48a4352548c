CREATE OR REPLACE FUNCTION finance.instant(micros bigint) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    RETURN timestamptz 'epoch' + micros * interval '1 microsecond';
COMMENT ON FUNCTION finance.instant IS 'Microseconds since 1970-01-01T00:00:00Z as a timestamp';

CREATE OR REPLACE FUNCTION finance.micros(instant timestamptz) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    RETURN (extract(epoch FROM instant) * 1000000)::bigint;
COMMENT ON FUNCTION finance.micros IS 'A timestamp as microseconds since 1970-01-01T00:00:00Z';

CREATE OR REPLACE FUNCTION finance.now() RETURNS timestamptz
    LANGUAGE sql STABLE
    RETURN coalesce(
        (SELECT finance.instant(now_at) FROM consumers.sandbox_clock), pg_catalog.now());
COMMENT ON FUNCTION finance.now IS 'The present: the sandbox clock where there is one';
