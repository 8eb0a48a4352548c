-- A name that an operator ended may be one that only a proxy or a provider knows: it has no role here.
ALTER TABLE web.people
    DROP CONSTRAINT people_principals_check,
    ADD CONSTRAINT people_principals_check CHECK (cardinality(principals) > 0 OR ended_at IS NOT NULL);
