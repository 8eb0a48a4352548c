"""Tests of the projector that follows the log."""
