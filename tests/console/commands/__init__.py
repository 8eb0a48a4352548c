"""Tests of the commands, each on a running ledger or in memory."""
