"""Tests of the table of origins, and of signatures."""
