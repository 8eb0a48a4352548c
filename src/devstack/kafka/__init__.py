"""The embedded Kafka brokers: jars, Java, settings."""
