"""Tests of JSON and of command files."""
