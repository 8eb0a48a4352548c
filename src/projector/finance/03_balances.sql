CREATE VIEW finance.balances AS
SELECT b.account_id, b.currency, b.cash * c.unit AS cash, b.gift * c.unit AS gift,
       (b.cash + b.gift) * c.unit AS total, b.cash AS cash_minor, b.gift AS gift_minor,
       b.cash + b.gift AS total_minor
FROM read_models.balances b
JOIN finance.currencies c ON c.code = b.currency;
COMMENT ON VIEW finance.balances IS 'Refunds credited to each account''s balance, by fund';
COMMENT ON COLUMN finance.balances.account_id IS 'The account';
COMMENT ON COLUMN finance.balances.currency IS 'The currency of the amounts (ISO 4217)';
COMMENT ON COLUMN finance.balances.cash IS 'Cash credited; negative if corrections were larger';
COMMENT ON COLUMN finance.balances.gift IS 'Gift money (赠送金) credited';
COMMENT ON COLUMN finance.balances.total IS 'Cash and gift money together';
COMMENT ON COLUMN finance.balances.cash_minor IS 'Cash in minor units of the currency';
COMMENT ON COLUMN finance.balances.gift_minor IS 'Gift money in minor units of the currency';
COMMENT ON COLUMN finance.balances.total_minor IS 'Both together in minor units of the currency';
