"""Tests of the refund ledger."""
