CREATE VIEW finance.quotas AS
WITH rule AS (
    SELECT t.* FROM finance.terms t WHERE t.effective_from <= (SELECT finance.now())
    ORDER BY t.position DESC LIMIT 1
), spent AS (
    SELECT r.account_id, r.rule, count(*) AS used
    FROM read_models.refunds r WHERE r.quota_spent AND NOT r.quota_restored
    GROUP BY r.account_id, r.rule
    UNION ALL
    SELECT o.account_id, b.rule, b.used
    FROM read_models.outcomes o
    CROSS JOIN LATERAL (VALUES
        ('FIVE_DAYS_NO_REASON', (o.body ->> 'full_refunds_used')::bigint),
        ('ORDINARY_RETURN', (o.body ->> 'ordinary_returns_used')::bigint),
        ('MARKETPLACE_REVIEW', (o.body ->> 'marketplace_refunds_issued')::bigint)
    ) AS b (rule, used)
    WHERE o.event_name = 'OpeningPositionRecorded'
), used AS (
    SELECT s.account_id, s.rule, sum(s.used)::bigint AS used FROM spent s
    GROUP BY s.account_id, s.rule
), pending AS (
    SELECT q.account_id, count(*) AS pending
    FROM finance.marketplace_requests q WHERE q.state IN ('PENDING', 'HELD')
    GROUP BY q.account_id
)
SELECT a.account_id, k.quota, k.allowed, coalesce(u.used, 0) AS used,
       CASE k.rule WHEN 'MARKETPLACE_REVIEW' THEN coalesce(p.pending, 0) ELSE 0 END AS pending,
       greatest(0, k.allowed - coalesce(u.used, 0) - CASE k.rule
           WHEN 'MARKETPLACE_REVIEW' THEN coalesce(p.pending, 0) ELSE 0 END) AS available,
       rule.version AS terms
FROM rule
CROSS JOIN LATERAL (VALUES
    ('FULL_REFUNDS', 'FIVE_DAYS_NO_REASON', rule.full_refunds_per_account),
    ('ORDINARY_RETURNS', 'ORDINARY_RETURN', rule.ordinary_returns_per_account),
    ('MARKETPLACE_REFUNDS', 'MARKETPLACE_REVIEW', rule.marketplace_refunds_per_account)
) AS k (quota, rule, allowed)
JOIN read_models.accounts a ON a.account_type = 'ONLINE'
LEFT JOIN used u ON u.account_id = a.account_id AND u.rule = k.rule
LEFT JOIN pending p ON p.account_id = a.account_id;
COMMENT ON VIEW finance.quotas IS
    'Self-service returns used and left of each ONLINE account';
COMMENT ON COLUMN finance.quotas.account_id IS 'The account';
COMMENT ON COLUMN finance.quotas.quota IS
    'FULL_REFUNDS (five days), ORDINARY_RETURNS or MARKETPLACE_REFUNDS';
COMMENT ON COLUMN finance.quotas.allowed IS 'How many the terms in force allow';
COMMENT ON COLUMN finance.quotas.used IS
    'How many are spent, before the ledger was adopted too; those a correction gave back are not';
COMMENT ON COLUMN finance.quotas.pending IS 'Pending marketplace applications: they count too';
COMMENT ON COLUMN finance.quotas.available IS 'How many are left';
COMMENT ON COLUMN finance.quotas.terms IS 'The version of these terms';
