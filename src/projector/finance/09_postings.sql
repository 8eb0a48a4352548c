CREATE VIEW finance.postings AS
SELECT p.account_id, p.event_name, p.transaction, p.line, p.ledger_account, p.side, p.currency,
       p.amount * c.unit AS amount, p.amount AS amount_minor,
       CASE p.side WHEN 'DEBIT' THEN p.amount ELSE -p.amount END AS signed_minor,
       finance.instant(p.occurred_at) AS occurred_at,
       finance.instant(p.recorded_at) AS recorded_at, p.event_id, p.partition, p.log_sequence
FROM read_models.postings p
JOIN finance.currencies c ON c.code = p.currency;
COMMENT ON VIEW finance.postings IS 'The journal: every debit and credit line';
COMMENT ON COLUMN finance.postings.account_id IS 'The account whose event posts';
COMMENT ON COLUMN finance.postings.event_name IS 'What happened';
COMMENT ON COLUMN finance.postings.transaction IS 'The journal transaction within the event';
COMMENT ON COLUMN finance.postings.line IS 'The line within the event, from 1';
COMMENT ON COLUMN finance.postings.ledger_account IS 'The account of the books';
COMMENT ON COLUMN finance.postings.side IS 'DEBIT or CREDIT';
COMMENT ON COLUMN finance.postings.currency IS 'The currency of the amount (ISO 4217)';
COMMENT ON COLUMN finance.postings.amount IS 'The amount, never negative';
COMMENT ON COLUMN finance.postings.amount_minor IS 'The amount in minor units of the currency';
COMMENT ON COLUMN finance.postings.signed_minor IS 'The same, a credit negative: all add up to 0';
COMMENT ON COLUMN finance.postings.occurred_at IS 'The business instant';
COMMENT ON COLUMN finance.postings.recorded_at IS 'When it was decided and recorded';
COMMENT ON COLUMN finance.postings.event_id IS 'The event';
COMMENT ON COLUMN finance.postings.partition IS 'The partition of the events topic';
COMMENT ON COLUMN finance.postings.log_sequence IS 'The number of the event in that partition';

CREATE VIEW finance.ledger_totals AS
SELECT p.currency, p.ledger_account,
       coalesce(sum(p.amount) FILTER (WHERE p.side = 'DEBIT'), 0) AS debit_minor,
       coalesce(sum(p.amount) FILTER (WHERE p.side = 'CREDIT'), 0) AS credit_minor,
       count(*) AS postings
FROM read_models.postings p
GROUP BY p.currency, p.ledger_account;
COMMENT ON VIEW finance.ledger_totals IS 'What was posted to each account of the books, in minor units';
COMMENT ON COLUMN finance.ledger_totals.currency IS 'The currency (ISO 4217)';
COMMENT ON COLUMN finance.ledger_totals.ledger_account IS 'The account of the books';
COMMENT ON COLUMN finance.ledger_totals.debit_minor IS 'All its debits in minor units of the currency';
COMMENT ON COLUMN finance.ledger_totals.credit_minor IS 'All its credits in minor units of the currency';
COMMENT ON COLUMN finance.ledger_totals.postings IS 'How many there are';

CREATE VIEW finance.trial_balance AS
SELECT t.currency, t.ledger_account, t.debit_minor * c.unit AS debit,
       t.credit_minor * c.unit AS credit, (t.debit_minor - t.credit_minor) * c.unit AS balance
FROM finance.ledger_totals t
JOIN finance.currencies c ON c.code = t.currency;
COMMENT ON VIEW finance.trial_balance IS 'Debits and credits by account of the books';
COMMENT ON COLUMN finance.trial_balance.currency IS 'The currency (ISO 4217)';
COMMENT ON COLUMN finance.trial_balance.ledger_account IS 'The account of the books';
COMMENT ON COLUMN finance.trial_balance.debit IS 'All its debits';
COMMENT ON COLUMN finance.trial_balance.credit IS 'All its credits';
COMMENT ON COLUMN finance.trial_balance.balance IS 'Debits less credits; all together are 0';
