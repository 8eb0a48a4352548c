-- Which accounts a reader of finance may see, where rows are kept apart by groups of accounts. Without
-- that these tables are empty and nobody asks them.
CREATE TABLE finance.account_groups (
    account_group text NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (account_group, account_id)
);
COMMENT ON TABLE finance.account_groups IS
    'The accounts of each group: yours to fill, for `refundctl init --grant --finance-rows groups`';
COMMENT ON COLUMN finance.account_groups.account_group IS 'The name of the group';
COMMENT ON COLUMN finance.account_groups.account_id IS 'An account in it';

CREATE TABLE finance.group_readers (
    account_group text NOT NULL,
    reader text NOT NULL,
    PRIMARY KEY (account_group, reader)
);
COMMENT ON TABLE finance.group_readers IS 'Who sees the accounts of each group: yours to fill';
COMMENT ON COLUMN finance.group_readers.account_group IS 'The name of the group';
COMMENT ON COLUMN finance.group_readers.reader IS
    'A role of the database; its members see the accounts too';

-- Whoever asks sees the accounts of his own groups, and none of the tables above.
CREATE VIEW read_models.visible_accounts AS
SELECT account_id FROM finance.account_groups
WHERE account_group IN (
    SELECT account_group FROM finance.group_readers
    WHERE pg_has_role(current_user, to_regrole(quote_ident(reader)), 'MEMBER'));
COMMENT ON VIEW read_models.visible_accounts IS 'The accounts of the groups of whoever asks';
