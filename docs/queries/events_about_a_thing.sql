-- Everything that names one reservation, whatever it is called there.
SELECT sequence, recorded_at, event_name, actor_role
FROM finance.events
WHERE account_id = 'acct-r0' AND body @? '$.** ? (@ == "v-0")'
ORDER BY sequence;
