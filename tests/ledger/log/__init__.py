"""The log seam: one contract for both implementations, and what only Kafka can get wrong."""
