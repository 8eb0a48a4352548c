"""Avro: encoding and decoding, the schema files and their derivation, and the registry."""
