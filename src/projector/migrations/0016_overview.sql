-- What the overview begins with, so that a page of a large ledger reads no whole table.
CREATE INDEX refunds_recent ON read_models.refunds (issued_at);
CREATE INDEX refunds_on_their_way ON read_models.refunds (state, currency)
    WHERE state IN ('ISSUED', 'SETTLING', 'HELD');
CREATE INDEX refusals_recent ON read_models.refusals (recorded_at);
CREATE INDEX annual_refund_totals_capped ON read_models.annual_refund_totals (account_id)
    WHERE refund_usd IS NOT NULL;
