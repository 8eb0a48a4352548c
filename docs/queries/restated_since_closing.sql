-- What did the books of 16 February say at closing that they would not say today?
SELECT currency, ledger_account, closed.balance AS as_closed, today.balance AS as_known_today
FROM finance.trial_balance_at('2026-02-16T23:59:59.999999Z', '2026-02-17T09:00:00Z') closed
FULL JOIN finance.trial_balance_at('2026-02-16T23:59:59.999999Z') today
    USING (currency, ledger_account)
WHERE closed.balance IS DISTINCT FROM today.balance
ORDER BY currency, ledger_account;
