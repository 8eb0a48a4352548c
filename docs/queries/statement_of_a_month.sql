-- The statement of one account for March, with the balance after each line.
SELECT line, business_date, recorded_at, kind, event_name, cash, gift, balance
FROM finance.statement
WHERE account_id = 'acct-i0' AND business_date >= '2026-03-01' AND business_date < '2026-04-01'
ORDER BY line;
