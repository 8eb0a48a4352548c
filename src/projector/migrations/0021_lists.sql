-- What a page of the statement and of the recycle bin begins with, so that it reads its own rows alone; and
-- all that is counted of the refusals.
CREATE INDEX postings_of_balances ON read_models.postings (account_id, log_sequence)
    WHERE ledger_account IN ('balance:cash', 'balance:gift');
CREATE INDEX recycle_bin_by_deadline ON read_models.recycle_bin
    (state, restore_until, account_id, isolation_id);
DROP INDEX read_models.recycle_bin_open;
CREATE INDEX refusals_by_rule ON read_models.refusals
    (rule, code, command_type, account_id, recorded_at);
