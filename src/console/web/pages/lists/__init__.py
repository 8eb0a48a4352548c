"""Every query of the read models as a list, and every route of the HTTP API."""
