CREATE VIEW finance.journal AS
SELECT p.partition || '-' || p.log_sequence || '-' || p.transaction AS entry_id, p.line,
       p.account_id,
       (p.occurred_at AT TIME ZONE (SELECT time_zone FROM finance.fiscal_year))::date
           AS business_date,
       p.occurred_at, p.recorded_at, p.event_name, p.ledger_account,
       CASE p.side WHEN 'DEBIT' THEN p.amount END AS debit,
       CASE p.side WHEN 'CREDIT' THEN p.amount END AS credit, p.currency, p.event_id,
       p.partition, p.log_sequence
FROM finance.postings p;
COMMENT ON VIEW finance.journal IS 'The journal, with debit and credit in two columns';
COMMENT ON COLUMN finance.journal.entry_id IS
    'The journal transaction: debits equal credits within each';
COMMENT ON COLUMN finance.journal.line IS 'The line within the event, from 1';
COMMENT ON COLUMN finance.journal.account_id IS 'The account whose event posts';
COMMENT ON COLUMN finance.journal.business_date IS
    'Its day, in the zone of finance.fiscal_year';
COMMENT ON COLUMN finance.journal.occurred_at IS 'The business instant';
COMMENT ON COLUMN finance.journal.recorded_at IS 'When it was decided and recorded';
COMMENT ON COLUMN finance.journal.event_name IS 'What happened';
COMMENT ON COLUMN finance.journal.ledger_account IS 'The account of the books';
COMMENT ON COLUMN finance.journal.debit IS 'The amount of a debit line';
COMMENT ON COLUMN finance.journal.credit IS 'The amount of a credit line';
COMMENT ON COLUMN finance.journal.currency IS 'The currency of the amount (ISO 4217)';
COMMENT ON COLUMN finance.journal.event_id IS 'The event';
COMMENT ON COLUMN finance.journal.partition IS 'The partition of the events topic';
COMMENT ON COLUMN finance.journal.log_sequence IS 'The number of the event in that partition';

CREATE FUNCTION finance.trial_balance_at(
    as_of timestamptz DEFAULT NULL, known_at timestamptz DEFAULT NULL)
RETURNS TABLE (
    currency text, ledger_account text, debit numeric, credit numeric, balance numeric)
LANGUAGE sql STABLE AS $$
SELECT p.currency, p.ledger_account,
       sum(CASE p.side WHEN 'DEBIT' THEN p.amount ELSE 0 * p.amount END),
       sum(CASE p.side WHEN 'CREDIT' THEN p.amount ELSE 0 * p.amount END),
       sum(CASE p.side WHEN 'DEBIT' THEN p.amount ELSE -p.amount END)
FROM finance.postings p
WHERE finance.answerable(as_of, known_at)
  AND (as_of IS NULL OR p.occurred_at <= as_of)
  AND (known_at IS NULL OR p.recorded_at <= known_at)
GROUP BY p.currency, p.ledger_account
$$;
COMMENT ON FUNCTION finance.trial_balance_at IS
    'The trial balance as of a business instant, as it was known at another; both default to the present';

CREATE FUNCTION finance.postings_at(
    as_of timestamptz DEFAULT NULL, known_at timestamptz DEFAULT NULL)
RETURNS TABLE (
    account_id text, event_name text, transaction integer, line integer, ledger_account text,
    side text, currency text, amount numeric, amount_minor bigint, signed_minor bigint,
    occurred_at timestamptz, recorded_at timestamptz, event_id text, partition integer,
    log_sequence bigint
)
LANGUAGE sql STABLE AS $$
SELECT p.* FROM finance.postings p
WHERE finance.answerable(as_of, known_at)
  AND (as_of IS NULL OR p.occurred_at <= as_of)
  AND (known_at IS NULL OR p.recorded_at <= known_at)
$$;
COMMENT ON FUNCTION finance.postings_at IS
    'The journal''s lines as of a business instant, as known at another; both default to the present';
