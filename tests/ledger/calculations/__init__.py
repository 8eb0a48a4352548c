"""Tests of what the calculations share."""
