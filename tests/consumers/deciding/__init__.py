"""Tests of the decider and its store."""
