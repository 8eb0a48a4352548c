"""Tests of the reservation rules, a file per rule."""
