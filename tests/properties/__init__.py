"""Any commands in any order to a whole ledger, and a recount of its events that shares no code."""
