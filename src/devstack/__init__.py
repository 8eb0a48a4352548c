"""The embedded default: a real Kafka broker, a real PostgreSQL and the processes, locally."""
