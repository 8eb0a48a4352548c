"""Reading from Kafka: in a group, outside every group, and how far that has come."""
