"""The embedded Kafka brokers: their jars, their Java, their settings."""
