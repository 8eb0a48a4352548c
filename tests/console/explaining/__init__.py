"""Tests of what explains an account."""
