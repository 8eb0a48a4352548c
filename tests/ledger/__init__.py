"""Tests of the ledger: its contract, its bytes, its rules."""
