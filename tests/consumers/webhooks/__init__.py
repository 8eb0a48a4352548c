"""Tests of the webhooks, with real receivers."""
