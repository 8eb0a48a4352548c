"""Tests of how the ledger is deployed: the compose file and the image."""
