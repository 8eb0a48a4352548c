"""The ledger: the vocabulary, the rules, the state and the log."""
