"""Avro: records in and out, the schema files, how they are derived, and the registry."""
