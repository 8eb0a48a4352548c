"""Tests of migrations and of the reader role."""
