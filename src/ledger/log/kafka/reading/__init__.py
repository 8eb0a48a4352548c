"""Reads from Kafka, in a consumer group or outside, and reads positions."""
