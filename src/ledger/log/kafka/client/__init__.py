"""The Kafka client as all of us use it: its settings, connections, records and watchdog."""
