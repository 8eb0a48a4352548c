"""Tests of how a ledger and its terms are found."""
