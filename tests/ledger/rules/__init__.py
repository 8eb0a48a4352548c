"""Tests of the rulebook: a file per rule."""
