CREATE VIEW finance.accounts AS
SELECT a.account_id, a.account_type, a.us_government, a.currency, a.in_arrears, a.card_id,
       finance.instant(a.opened_at) AS opened_at
FROM read_models.accounts a;
COMMENT ON VIEW finance.accounts IS 'The accounts';
COMMENT ON COLUMN finance.accounts.account_id IS 'The account';
COMMENT ON COLUMN finance.accounts.account_type IS 'ONLINE, EA, PAYG_INVOICE, PAYG_CARD or CSP';
COMMENT ON COLUMN finance.accounts.us_government IS 'Whether it is a US-Government account';
COMMENT ON COLUMN finance.accounts.currency IS 'The currency of all its amounts (ISO 4217)';
COMMENT ON COLUMN finance.accounts.in_arrears IS 'Whether it owes money now';
COMMENT ON COLUMN finance.accounts.card_id IS 'The card now on file, if any';
COMMENT ON COLUMN finance.accounts.opened_at IS 'When the account was opened';
