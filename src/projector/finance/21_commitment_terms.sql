CREATE VIEW finance.commitment_terms AS
WITH credited AS (
    SELECT p.account_id, p.ledger_account, -sum(p.signed_minor) AS amount
    FROM finance.postings p WHERE p.ledger_account LIKE 'commitment:%'
    GROUP BY p.account_id, p.ledger_account
)
SELECT e.account_id, e.body ->> 'term_id' AS term_id,
       date '1970-01-01' + (e.body ->> 'starts_on')::integer AS starts_on,
       date '1970-01-01' + (e.body ->> 'ends_on')::integer AS ends_on,
       CASE WHEN d.today < date '1970-01-01' + (e.body ->> 'starts_on')::integer THEN 'FUTURE'
            WHEN d.today < date '1970-01-01' + (e.body ->> 'ends_on')::integer THEN 'CURRENT'
            ELSE 'ENDED' END AS state,
       e.body ->> 'currency' AS currency, (e.body ->> 'amount')::bigint * c.unit AS amount,
       coalesce(k.amount, 0) * c.unit AS credited, e.recorded_at AS opened_at,
       (e.body ->> 'amount')::bigint AS amount_minor, coalesce(k.amount, 0) AS credited_minor
FROM finance.events e
CROSS JOIN (SELECT (finance.now() AT TIME ZONE 'UTC')::date AS today) d
JOIN finance.currencies c ON c.code = e.body ->> 'currency'
LEFT JOIN credited k
    ON k.account_id = e.account_id AND k.ledger_account = 'commitment:' || (e.body ->> 'term_id')
WHERE e.event_name = 'CommitmentTermOpened';
COMMENT ON VIEW finance.commitment_terms IS
    'The monetary commitments of enrolments, and the refunds credited to them';
COMMENT ON COLUMN finance.commitment_terms.account_id IS 'The account';
COMMENT ON COLUMN finance.commitment_terms.term_id IS 'The commitment term';
COMMENT ON COLUMN finance.commitment_terms.starts_on IS 'Its first day (UTC)';
COMMENT ON COLUMN finance.commitment_terms.ends_on IS 'The day after its last (UTC)';
COMMENT ON COLUMN finance.commitment_terms.state IS 'FUTURE, CURRENT or ENDED, today';
COMMENT ON COLUMN finance.commitment_terms.currency IS 'The currency of the amounts (ISO 4217)';
COMMENT ON COLUMN finance.commitment_terms.amount IS 'The amount committed';
COMMENT ON COLUMN finance.commitment_terms.credited IS 'Refunds credited to it, net of corrections';
COMMENT ON COLUMN finance.commitment_terms.opened_at IS 'When it was recorded';
COMMENT ON COLUMN finance.commitment_terms.amount_minor IS 'Amount in minor units of the currency';
COMMENT ON COLUMN finance.commitment_terms.credited_minor IS 'Credited in minor units';
