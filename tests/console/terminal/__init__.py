"""Tests of what a person is told when something goes wrong."""
