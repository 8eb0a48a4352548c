-- How much of the cap has each account used, on both bases, and what is released next? (gauge)
SELECT account_id, cap_usd, cap_basis, refund_usd, refund_left_usd, next_release_at,
       next_release_usd, cancelled_commitment_usd, commitment_left_usd
FROM finance.annual_refund_totals
WHERE refund_usd IS NOT NULL
ORDER BY refund_usd DESC, account_id;
