"""Origins: who may give the ledger which commands, and how a command proves who gave it."""
