"""The closing of a month: checkpoint, trial balance, exports and reconciliation in one action."""
