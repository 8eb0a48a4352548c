"""Tests of row changes."""
