"""Tests of the rights in the database."""
