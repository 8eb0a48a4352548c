-- What a card gateway paid beyond what was owed. Nothing before this was recorded as such, so that no
-- row has to be filled again.
ALTER TABLE read_models.refunds ADD COLUMN overpaid bigint NOT NULL DEFAULT 0;
CREATE INDEX outcomes_for_a_person ON read_models.outcomes (event_name, account_id)
    WHERE event_name IN ('RefundOverpaid', 'SupportTaskOpened');
