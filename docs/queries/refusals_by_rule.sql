-- What is refused most, and by which rule? (pie chart)
SELECT rule, code, command_type, refusals, accounts
FROM finance.refusals_by_rule
ORDER BY refusals DESC, rule, code, command_type;
