-- What finance asks next: the events themselves, reservations, and the terms in force. Rows made
-- before a column was there cannot say what belongs in it, so the two tables that are wider now are
-- emptied; the projector's next start fills them, and the new one, from the first event.

TRUNCATE read_models.refunds, read_models.outcomes;

ALTER TABLE read_models.outcomes
    ADD COLUMN correlation_id text NOT NULL,
    ADD COLUMN actor_id text NOT NULL,
    ADD COLUMN actor_role text NOT NULL,
    ADD COLUMN terms text NOT NULL,
    ADD COLUMN body jsonb NOT NULL;
COMMENT ON TABLE read_models.outcomes IS
    'One row per event, whole, found by the command that led to it';
CREATE INDEX outcomes_of_refunds ON read_models.outcomes (account_id, (body ->> 'refund_id'))
    WHERE body ? 'refund_id';
CREATE INDEX outcomes_told_alone ON read_models.outcomes (event_name, account_id)
    WHERE event_name IN (
        'CommitmentTermOpened', 'CreditHeld', 'CreditMemoIssued', 'HeldCreditConsumed',
        'InstanceDestroyed', 'InstanceIsolated', 'InstanceRestored', 'InvoiceCancelled',
        'InvoiceIssued', 'MarketplacePurchaseRecorded', 'MarketplaceRefundApproved',
        'MarketplaceRefundDeclined', 'MarketplaceRefundHeld', 'MarketplaceRefundRequested',
        'MarketplaceRefundWithdrawn', 'RefundCorrected', 'ReservationCancelled',
        'ReservationExchanged');
CREATE INDEX outcomes_averting ON read_models.outcomes (account_id)
    WHERE event_name = 'InstanceOrderRecorded' AND body ? 'averted_isolation_ids';

ALTER TABLE read_models.refunds ADD COLUMN quota_restored boolean NOT NULL;

CREATE TABLE read_models.reservations (
    account_id text COLLATE "C" NOT NULL,
    reservation_id text COLLATE "C" NOT NULL,
    product_type text NOT NULL,
    sku text NOT NULL,
    region text NOT NULL,
    original_quantity bigint NOT NULL,
    quantity bigint NOT NULL,
    term_months integer NOT NULL,
    starts_on integer NOT NULL,
    ends_on integer NOT NULL,
    total bigint NOT NULL,
    currency text NOT NULL,
    billing_plan text NOT NULL,
    payment_method text NOT NULL,
    term_id text,
    invoice_id text,
    card_id text,
    owners jsonb NOT NULL,
    state text NOT NULL,
    bought_in_exchange boolean NOT NULL,
    purchased_at bigint NOT NULL,
    PRIMARY KEY (account_id, reservation_id)
) WITH (fillfactor = 80);
COMMENT ON TABLE read_models.reservations IS
    'One row per reservation: what was bought, and how much of it is still held';

CREATE TABLE finance.terms (
    version text PRIMARY KEY,
    position integer NOT NULL UNIQUE,
    effective_from timestamptz NOT NULL,
    time_zone text NOT NULL,
    full_refunds_per_account integer NOT NULL,
    ordinary_returns_per_account integer NOT NULL,
    marketplace_refunds_per_account integer NOT NULL,
    cap_usd numeric NOT NULL,
    cap_window_days integer NOT NULL,
    cap_basis text NOT NULL,
    not_exchangeable jsonb NOT NULL,
    families jsonb NOT NULL
);
COMMENT ON TABLE finance.terms IS
    'The numbers the rules go by, as far as the views need them, by version';
COMMENT ON COLUMN finance.terms.version IS 'The version; every verdict names its own';
COMMENT ON COLUMN finance.terms.position IS
    'From 1, in the order they take effect: of two from one instant the later one is in force';
COMMENT ON COLUMN finance.terms.effective_from IS 'In force from this instant until the next begins';
COMMENT ON COLUMN finance.terms.time_zone IS 'The zone of natural days and calendar months';
COMMENT ON COLUMN finance.terms.full_refunds_per_account IS 'Five-day full refunds an account has';
COMMENT ON COLUMN finance.terms.ordinary_returns_per_account IS 'Ordinary returns an account has';
COMMENT ON COLUMN finance.terms.marketplace_refunds_per_account IS
    'Self-service marketplace refunds an account has';
COMMENT ON COLUMN finance.terms.cap_usd IS 'The rolling cap on reservation refunds, US dollars';
COMMENT ON COLUMN finance.terms.cap_window_days IS 'For how many days a refund counts against it';
COMMENT ON COLUMN finance.terms.cap_basis IS
    'What counts: REFUND (what is refunded) or COMMITMENT (what is cancelled)';
COMMENT ON COLUMN finance.terms.not_exchangeable IS 'Reservation types that cannot be exchanged';
COMMENT ON COLUMN finance.terms.families IS 'Reservation type to product family';

CREATE TABLE finance.fiscal_year (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    first_month integer NOT NULL CHECK (first_month BETWEEN 1 AND 12),
    time_zone text NOT NULL
);
COMMENT ON TABLE finance.fiscal_year IS
    'When the fiscal year begins: yours to set, as in UPDATE finance.fiscal_year SET first_month = 4';
COMMENT ON COLUMN finance.fiscal_year.only_row IS 'There is one row';
COMMENT ON COLUMN finance.fiscal_year.first_month IS 'The month on whose first day it begins, 1 to 12';
COMMENT ON COLUMN finance.fiscal_year.time_zone IS 'The zone whose midnight divides the years';
INSERT INTO finance.fiscal_year VALUES (true, 1, 'UTC');

CREATE TABLE consumers.horizons (
    consumer text PRIMARY KEY,
    reached_at bigint NOT NULL
);
COMMENT ON TABLE consumers.horizons IS
    'Every event recorded before this instant is shown by the consumer, and none can come any more';
