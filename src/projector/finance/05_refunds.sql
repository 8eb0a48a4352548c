CREATE VIEW finance.refunds AS
SELECT r.account_id, r.refund_id, r.source_kind, r.source_id, r.rule, r.state, r.currency,
       r.gross * c.unit AS gross, r.fee * c.unit AS fee, r.amount * c.unit AS amount,
       r.cash * c.unit AS cash, r.gift * c.unit AS gift, r.original * c.unit AS original,
       r.overpaid * c.unit AS overpaid,
       r.gross AS gross_minor, r.fee AS fee_minor, r.amount AS amount_minor,
       finance.instant(r.issued_at) AS issued_at, finance.instant(r.occurred_at) AS occurred_at,
       finance.instant(r.expected_arrival_at) AS expected_arrival_at,
       finance.instant(r.settled_at) AS settled_at, r.held_because,
       finance.instant(r.corrected_at) AS corrected_at, r.corrected_because, r.auto_approved,
       r.quota_spent, r.ticket, r.command_id, r.working
FROM read_models.refunds r
JOIN finance.currencies c ON c.code = r.currency;
COMMENT ON VIEW finance.refunds IS 'Every refund: its source, amount and state';
COMMENT ON COLUMN finance.refunds.account_id IS 'The account';
COMMENT ON COLUMN finance.refunds.refund_id IS 'The refund';
COMMENT ON COLUMN finance.refunds.source_kind IS 'INSTANCE, MARKETPLACE or RESERVATION';
COMMENT ON COLUMN finance.refunds.source_id IS 'The instance, purchase or reservation refunded';
COMMENT ON COLUMN finance.refunds.rule IS
    'The rule that gave the amount; empty for the returned leg of an exchange';
COMMENT ON COLUMN finance.refunds.state IS 'ISSUED, SETTLING, SETTLED, HELD or CORRECTED';
COMMENT ON COLUMN finance.refunds.currency IS 'The currency of the amounts (ISO 4217)';
COMMENT ON COLUMN finance.refunds.gross IS 'The refund before the fee';
COMMENT ON COLUMN finance.refunds.fee IS 'The fee that was kept';
COMMENT ON COLUMN finance.refunds.amount IS 'The refund: gross less fee';
COMMENT ON COLUMN finance.refunds.cash IS 'The part refunded as cash';
COMMENT ON COLUMN finance.refunds.gift IS 'The part refunded as gift money (赠送金)';
COMMENT ON COLUMN finance.refunds.original IS 'The part refunded to the original payment';
COMMENT ON COLUMN finance.refunds.overpaid IS
    'The amount that the card gateway paid in addition: see finance.overpaid_refunds';
COMMENT ON COLUMN finance.refunds.gross_minor IS 'Gross in minor units of the currency';
COMMENT ON COLUMN finance.refunds.fee_minor IS 'Fee in minor units of the currency';
COMMENT ON COLUMN finance.refunds.amount_minor IS 'Amount in minor units of the currency';
COMMENT ON COLUMN finance.refunds.issued_at IS 'When it was decided and recorded';
COMMENT ON COLUMN finance.refunds.occurred_at IS 'The business instant; for a timer its deadline';
COMMENT ON COLUMN finance.refunds.expected_arrival_at IS
    'When the credit should show in the statement; informative';
COMMENT ON COLUMN finance.refunds.settled_at IS 'When it was settled';
COMMENT ON COLUMN finance.refunds.held_because IS 'Why it waits for a person, while it does';
COMMENT ON COLUMN finance.refunds.corrected_at IS 'When all its postings were reversed';
COMMENT ON COLUMN finance.refunds.corrected_because IS 'Why they were reversed';
COMMENT ON COLUMN finance.refunds.auto_approved IS
    'Whether the system completed it because nobody answered in time';
COMMENT ON COLUMN finance.refunds.quota_spent IS 'Whether it used one of the account''s self-service returns';
COMMENT ON COLUMN finance.refunds.ticket IS 'The ticket of a manual refund';
COMMENT ON COLUMN finance.refunds.command_id IS 'Its command';
COMMENT ON COLUMN finance.refunds.working IS 'The calculation, step by step, enough to redo it';
