"""Tests of the vocabulary and its limits."""
