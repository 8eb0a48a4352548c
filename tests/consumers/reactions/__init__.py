"""Tests of the reactions."""
