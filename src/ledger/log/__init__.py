"""The log: its interface, an implementation in memory, and one on Kafka."""
