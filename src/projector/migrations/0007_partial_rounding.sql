-- How parts of a reservation are rounded became a number of the terms.
ALTER TABLE finance.terms ADD COLUMN partial_rounding text NOT NULL DEFAULT 'EACH';
COMMENT ON COLUMN finance.terms.partial_rounding IS
    'EACH: every part of a reservation is rounded alone; CUMULATIVE: together with those before it';
