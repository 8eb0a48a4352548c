"""The ledger that runs: settings, where it answers, what is started, how many of each."""
