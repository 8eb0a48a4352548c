"""The Kafka client for the rest of the room: settings, connections, records and the watchdog."""
