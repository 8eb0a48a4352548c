"""Tests of the SQL views that people read."""
