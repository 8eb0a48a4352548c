"""Tests of the terms."""
