"""Events by HTTP: found, decoded, and proven."""
