"""Tests of the real processes: killed, scaled, on three brokers."""
