CREATE VIEW finance.documents AS
WITH reversed AS NOT MATERIALIZED (
    SELECT e.account_id, e.body ->> 'refund_id' AS refund_id, e.recorded_at
    FROM finance.events e WHERE e.event_name = 'RefundCorrected'
), cancelled AS NOT MATERIALIZED (
    SELECT e.account_id, e.body ->> 'invoice_id' AS invoice_id, min(e.recorded_at) AS at,
           min(e.body ->> 'refund_id') AS refund_id
    FROM finance.events e WHERE e.event_name = 'InvoiceCancelled'
    GROUP BY e.account_id, e.body ->> 'invoice_id'
), consumed AS NOT MATERIALIZED (
    SELECT e.account_id, e.body ->> 'credit_id' AS credit_id, sum((e.body ->> 'amount')::bigint) AS amount
    FROM finance.events e WHERE e.event_name = 'HeldCreditConsumed'
    GROUP BY e.account_id, e.body ->> 'credit_id'
), issued AS NOT MATERIALIZED (
    SELECT e.account_id, e.body ->> 'invoice_id' AS id, e.body ->> 'refund_id' AS refund_id,
           e.recorded_at AS issued_at, (e.body ->> 'total')::bigint AS amount,
           e.body ->> 'currency' AS currency, e.body -> 'lines' AS lines,
           e.body -> 'purchases' AS purchases
    FROM finance.events e WHERE e.event_name = 'InvoiceIssued'
), found AS (
    SELECT e.account_id, 'CREDIT_MEMO' AS kind, e.body ->> 'credit_memo_id' AS document_id,
           e.body ->> 'refund_id' AS refund_id, e.recorded_at AS issued_at,
           (e.body ->> 'amount')::bigint AS amount, e.body ->> 'currency' AS currency,
           CASE WHEN r.recorded_at IS NULL THEN 'ISSUED' ELSE 'REVERSED' END AS state,
           r.recorded_at AS ended_at, NULL::numeric AS open_minor, NULL::jsonb AS lines,
           NULL::jsonb AS purchases
    FROM finance.events e
    LEFT JOIN reversed r ON r.account_id = e.account_id AND r.refund_id = e.body ->> 'refund_id'
    WHERE e.event_name = 'CreditMemoIssued'
    UNION ALL
    SELECT e.account_id, 'HELD_CREDIT', e.body ->> 'credit_id', e.body ->> 'refund_id',
           e.recorded_at, (e.body ->> 'amount')::bigint, e.body ->> 'currency',
           CASE WHEN r.recorded_at IS NOT NULL THEN 'REVERSED'
                WHEN c.amount = (e.body ->> 'amount')::bigint THEN 'CONSUMED' ELSE 'OPEN' END,
           r.recorded_at, CASE WHEN r.recorded_at IS NULL THEN
               (e.body ->> 'amount')::bigint - coalesce(c.amount, 0) ELSE 0 END, NULL, NULL
    FROM finance.events e
    LEFT JOIN reversed r ON r.account_id = e.account_id AND r.refund_id = e.body ->> 'refund_id'
    LEFT JOIN consumed c ON c.account_id = e.account_id AND c.credit_id = e.body ->> 'credit_id'
    WHERE e.event_name = 'CreditHeld'
    UNION ALL
    SELECT e.account_id, 'HELD_CREDIT', k.id, NULL, NULL, k.amount, e.body ->> 'currency',
           CASE WHEN c.amount = k.amount THEN 'CONSUMED' ELSE 'OPEN' END, NULL,
           k.amount - coalesce(c.amount, 0), NULL, NULL
    FROM finance.events e
    CROSS JOIN LATERAL (
        SELECT one ->> 'credit_id' AS id, (one ->> 'amount')::bigint AS amount
        FROM jsonb_array_elements(e.body -> 'held_credits') one) k
    LEFT JOIN consumed c ON c.account_id = e.account_id AND c.credit_id = k.id
    WHERE e.event_name = 'OpeningPositionRecorded'
    UNION ALL
    SELECT i.account_id, 'INVOICE', i.id, coalesce(i.refund_id, x.refund_id), i.issued_at,
           i.amount, i.currency, CASE WHEN x.at IS NULL THEN 'ISSUED' ELSE 'CANCELLED' END, x.at,
           NULL, i.lines, i.purchases
    FROM issued i
    LEFT JOIN cancelled x ON x.account_id = i.account_id AND x.invoice_id = i.id
    UNION ALL
    SELECT x.account_id, 'INVOICE', x.invoice_id, x.refund_id, NULL, NULL, NULL, 'CANCELLED', x.at,
           NULL, NULL, NULL
    FROM cancelled x
    WHERE NOT EXISTS (
        SELECT FROM issued i WHERE i.account_id = x.account_id AND i.id = x.invoice_id)
)
SELECT f.account_id, f.kind, f.document_id, f.state, f.refund_id,
       coalesce(f.currency, a.currency) AS currency, f.amount * c.unit AS amount,
       f.open_minor * c.unit AS open_amount, f.issued_at, f.ended_at, f.lines,
       f.amount AS amount_minor, f.open_minor, f.purchases
FROM found f
JOIN finance.accounts a ON a.account_id = f.account_id
JOIN finance.currencies c ON c.code = coalesce(f.currency, a.currency);
COMMENT ON VIEW finance.documents IS 'Credit memos, invoices and held credits';
COMMENT ON COLUMN finance.documents.account_id IS 'The account';
COMMENT ON COLUMN finance.documents.kind IS 'CREDIT_MEMO, INVOICE or HELD_CREDIT';
COMMENT ON COLUMN finance.documents.document_id IS 'The document';
COMMENT ON COLUMN finance.documents.state IS
    'ISSUED, CANCELLED (invoice), OPEN or CONSUMED (held credit), REVERSED (by a correction)';
COMMENT ON COLUMN finance.documents.refund_id IS
    'The refund it was made for, or cancelled for; empty for a credit of an opening position';
COMMENT ON COLUMN finance.documents.currency IS 'The currency of the amounts (ISO 4217)';
COMMENT ON COLUMN finance.documents.amount IS
    'Its amount; empty for an invoice that upstream billing issued';
COMMENT ON COLUMN finance.documents.open_amount IS 'For a held credit: the amount that no purchase has consumed';
COMMENT ON COLUMN finance.documents.issued_at IS
    'When it was issued; empty for what was issued outside the ledger';
COMMENT ON COLUMN finance.documents.ended_at IS 'When it was cancelled or reversed';
COMMENT ON COLUMN finance.documents.lines IS
    'For an invoice: its lines, PURCHASE and REFUND, amounts in minor units';
COMMENT ON COLUMN finance.documents.amount_minor IS 'Amount in minor units of the currency';
COMMENT ON COLUMN finance.documents.open_minor IS 'Open amount in minor units of the currency';
COMMENT ON COLUMN finance.documents.purchases IS
    'For an invoice: each purchase on it with price, refunds and netted value, in minor units; those carried over from a cancelled invoice are marked';
