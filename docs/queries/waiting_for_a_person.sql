-- Which refunds wait for a person, and why?
SELECT account_id, source_kind, source_id, amount, currency, held_because, issued_at
FROM finance.refunds
WHERE state = 'HELD'
ORDER BY issued_at, account_id;
