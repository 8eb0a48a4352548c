-- Which credits are still to be consumed, and which memos stand?
SELECT account_id, kind, state, currency, sum(amount) AS amount, sum(open_amount) AS open_amount
FROM finance.documents
WHERE kind IN ('CREDIT_MEMO', 'HELD_CREDIT')
GROUP BY account_id, kind, state, currency
ORDER BY account_id, kind, state;
