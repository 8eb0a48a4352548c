"""Writes to Kafka in transactions: fencing, and hanging transactions."""
