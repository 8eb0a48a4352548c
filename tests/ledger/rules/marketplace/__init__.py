"""Tests of the marketplace rules, a file per rule."""
