"""Writing to Kafka in transactions: who may write, and what is left hanging."""
