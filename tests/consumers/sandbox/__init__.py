"""Simulated time: a ledger, or one account, as it will be."""
