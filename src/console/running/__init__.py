"""The running ledger: settings, addresses, processes and their counts."""
