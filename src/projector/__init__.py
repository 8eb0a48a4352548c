"""The read models: views folded from the events into PostgreSQL."""
