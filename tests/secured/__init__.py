"""Brokers and a database with TLS and passwords: who is accepted, and what others are told."""
