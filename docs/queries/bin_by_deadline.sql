-- What is destroyed next, and what was refunded for it? (table, sorted by deadline)
SELECT account_id, instance_id, reason, restore_until, averted_by, refund_amount, refund_currency
FROM finance.recycle_bin
WHERE state = 'ISOLATED'
ORDER BY restore_until, account_id, instance_id;
