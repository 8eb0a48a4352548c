-- How much was refunded by which rule in which month? (bar chart; time column: month)
SELECT date_trunc('month', issued_at AT TIME ZONE 'UTC')::date AS month, rule, currency,
       count(*) AS refunds, sum(amount) AS amount
FROM finance.refunds
WHERE rule IS NOT NULL AND corrected_at IS NULL
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3;
