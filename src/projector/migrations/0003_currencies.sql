-- The schema people read, and the digits of each currency, which the views need.

CREATE SCHEMA finance;
COMMENT ON SCHEMA finance IS 'The ledger in finance''s own words: read these views';

CREATE TABLE finance.currencies (
    code text PRIMARY KEY,
    digits integer NOT NULL,
    unit numeric NOT NULL
);
COMMENT ON TABLE finance.currencies IS 'ISO 4217 currencies and their minor units';
COMMENT ON COLUMN finance.currencies.code IS 'ISO 4217 letter code';
COMMENT ON COLUMN finance.currencies.digits IS 'Decimals of an amount in this currency';
COMMENT ON COLUMN finance.currencies.unit IS 'One minor unit in units of the currency, e.g. 0.01';
