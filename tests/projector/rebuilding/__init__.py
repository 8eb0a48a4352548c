"""Tests of the rebuild."""
