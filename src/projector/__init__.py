"""What is shown: views folded from the events into PostgreSQL."""
