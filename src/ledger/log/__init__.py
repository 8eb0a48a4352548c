"""The log that the handlers stand on: the seam, the log in memory, and the log on Kafka."""
