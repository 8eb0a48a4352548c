"""Reconciling: compares the read models with the log, folded a second time in another way."""
