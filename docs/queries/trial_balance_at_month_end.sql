-- The trial balance at the end of March, as known at closing; the balances of a currency are 0 together.
SELECT currency, ledger_account, debit, credit, balance
FROM finance.trial_balance_at('2026-03-31T23:59:59.999999Z', '2026-04-03T09:00:00Z')
ORDER BY currency, ledger_account;
