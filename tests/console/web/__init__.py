"""The HTTP API and the pages, on real Kafka and Postgres."""
