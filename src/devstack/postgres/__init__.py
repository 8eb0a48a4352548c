"""The embedded PostgreSQL server, and the user that runs it."""
