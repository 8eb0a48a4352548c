"""The embedded PostgreSQL server, and the user it runs as."""
