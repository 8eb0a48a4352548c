"""Tests of schemas, bytes and the registry."""
