-- What is left of each reservation today, and what would still be to pay for it?
SELECT account_id, reservation_id, quantity, original_quantity, ends_on, remaining_days,
       remaining_value, remaining_commitment, currency
FROM finance.reservations
WHERE state = 'ACTIVE'
ORDER BY account_id, reservation_id;
