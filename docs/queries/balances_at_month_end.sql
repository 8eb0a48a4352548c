-- What stood on each balance at the end of March, as the books knew it when they were closed?
SELECT account_id, currency, cash, gift, total
FROM finance.balances_at('2026-03-31T23:59:59.999999Z', '2026-04-03T09:00:00Z')
WHERE total <> 0
ORDER BY account_id;
