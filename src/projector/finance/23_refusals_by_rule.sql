CREATE VIEW finance.refusals_by_rule AS
SELECT r.rule, r.code, r.command_type, count(*) AS refusals,
       count(DISTINCT r.account_id) AS accounts,
       finance.instant(min(r.recorded_at)) AS first_at,
       finance.instant(max(r.recorded_at)) AS last_at
FROM read_models.refusals r
GROUP BY r.rule, r.code, r.command_type;
COMMENT ON VIEW finance.refusals_by_rule IS 'How often each rule refused which command';
COMMENT ON COLUMN finance.refusals_by_rule.rule IS 'The rule violated';
COMMENT ON COLUMN finance.refusals_by_rule.code IS 'Its code';
COMMENT ON COLUMN finance.refusals_by_rule.command_type IS 'The command refused';
COMMENT ON COLUMN finance.refusals_by_rule.refusals IS 'How often';
COMMENT ON COLUMN finance.refusals_by_rule.accounts IS 'Of how many accounts';
COMMENT ON COLUMN finance.refusals_by_rule.first_at IS 'When first';
COMMENT ON COLUMN finance.refusals_by_rule.last_at IS 'When last';
