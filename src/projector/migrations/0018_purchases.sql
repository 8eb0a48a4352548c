-- What was bought, and how its invoice stands, without all else that happened to the purchase.
CREATE INDEX outcomes_of_purchases ON read_models.outcomes (account_id, (body ->> 'purchase_id'), sequence)
    WHERE event_name IN ('MarketplacePurchaseRecorded', 'InvoiceStateRecorded');
