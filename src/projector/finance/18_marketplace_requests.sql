CREATE VIEW finance.marketplace_requests AS
SELECT q.account_id, q.body ->> 'purchase_id' AS purchase_id, q.body ->> 'request_id' AS request_id,
       p.body ->> 'product_kind' AS product_kind, p.body ->> 'vendor_id' AS vendor_id,
       p.body ->> 'buyer_id' AS buyer_id, q.body ->> 'reason' AS reason,
       CASE WHEN f.refund_id IS NOT NULL THEN 'REFUNDED'
            WHEN h.recorded_at IS NOT NULL AND x.event_name IS NULL THEN 'HELD'
            WHEN x.event_name = 'MarketplaceRefundWithdrawn' THEN 'WITHDRAWN'
            WHEN x.event_name = 'MarketplaceRefundDeclined' THEN 'DECLINED'
            ELSE 'PENDING' END AS state,
       q.recorded_at AS requested_at, finance.instant((q.body ->> 'due_at')::bigint) AS due_at,
       CASE WHEN f.refund_id IS NULL AND x.event_name IS NULL AND h.recorded_at IS NULL THEN
           greatest(interval '0', finance.instant((q.body ->> 'due_at')::bigint)
               - (SELECT finance.now())) END AS time_left,
       a.recorded_at AS approved_at, coalesce((a.body ->> 'auto_approved')::boolean, false)
           AS auto_approved,
       h.recorded_at AS held_at, h.body ->> 'invoice_state' AS held_by_invoice,
       coalesce(x.recorded_at, f.issued_at) AS ended_at,
       coalesce(x.body ->> 'note', a.body ->> 'note') AS note,
       f.refund_id, f.currency AS refund_currency, f.amount AS refund_amount
FROM finance.events q
JOIN finance.events p
    ON p.event_name = 'MarketplacePurchaseRecorded' AND p.account_id = q.account_id
    AND p.body ->> 'purchase_id' = q.body ->> 'purchase_id'
LEFT JOIN finance.events a
    ON a.event_name = 'MarketplaceRefundApproved' AND a.account_id = q.account_id
    AND a.body ->> 'request_id' = q.body ->> 'request_id'
LEFT JOIN finance.events h
    ON h.event_name = 'MarketplaceRefundHeld' AND h.account_id = q.account_id
    AND h.body ->> 'request_id' = q.body ->> 'request_id'
LEFT JOIN finance.events x
    ON x.event_name IN ('MarketplaceRefundWithdrawn', 'MarketplaceRefundDeclined')
    AND x.account_id = q.account_id AND x.body ->> 'request_id' = q.body ->> 'request_id'
LEFT JOIN finance.refunds f
    ON a.event_id IS NOT NULL AND x.event_id IS NULL AND f.account_id = q.account_id
    AND f.source_kind = 'MARKETPLACE' AND f.rule = 'MARKETPLACE_REVIEW'
    AND f.source_id = q.body ->> 'purchase_id'
WHERE q.event_name = 'MarketplaceRefundRequested';
COMMENT ON VIEW finance.marketplace_requests IS
    'Every application for a marketplace refund: when it is due, and its result';
COMMENT ON COLUMN finance.marketplace_requests.account_id IS 'The account';
COMMENT ON COLUMN finance.marketplace_requests.purchase_id IS 'The purchase';
COMMENT ON COLUMN finance.marketplace_requests.request_id IS 'The application';
COMMENT ON COLUMN finance.marketplace_requests.product_kind IS 'SAAS, HUMAN_SERVICE, API or IMAGE';
COMMENT ON COLUMN finance.marketplace_requests.vendor_id IS 'Who sold it';
COMMENT ON COLUMN finance.marketplace_requests.buyer_id IS 'Who bought it';
COMMENT ON COLUMN finance.marketplace_requests.reason IS 'The reason, from a fixed list';
COMMENT ON COLUMN finance.marketplace_requests.state IS
    'PENDING, HELD, REFUNDED, WITHDRAWN or DECLINED';
COMMENT ON COLUMN finance.marketplace_requests.requested_at IS 'When it was made';
COMMENT ON COLUMN finance.marketplace_requests.due_at IS
    'When it is completed without an answer (SAAS); empty if there is no deadline';
COMMENT ON COLUMN finance.marketplace_requests.time_left IS 'From now to that instant, while pending';
COMMENT ON COLUMN finance.marketplace_requests.approved_at IS 'When it was approved';
COMMENT ON COLUMN finance.marketplace_requests.auto_approved IS
    'Whether the system completed it because nobody answered in time';
COMMENT ON COLUMN finance.marketplace_requests.held_at IS 'When it was held because of an invoice';
COMMENT ON COLUMN finance.marketplace_requests.held_by_invoice IS 'The state of that invoice then';
COMMENT ON COLUMN finance.marketplace_requests.ended_at IS
    'When it was refunded, withdrawn or declined';
COMMENT ON COLUMN finance.marketplace_requests.note IS 'What the vendor said';
COMMENT ON COLUMN finance.marketplace_requests.refund_id IS 'Its refund';
COMMENT ON COLUMN finance.marketplace_requests.refund_currency IS
    'The currency of that refund (ISO 4217)';
COMMENT ON COLUMN finance.marketplace_requests.refund_amount IS 'The amount of that refund';
