-- Which deadlines were recorded more than an hour after they had passed?
SELECT account_id, event_name, occurred_at, recorded_at - occurred_at AS late
FROM finance.events
WHERE recorded_at - occurred_at > interval '1 hour'
ORDER BY recorded_at - occurred_at DESC, account_id, sequence
LIMIT 10;
