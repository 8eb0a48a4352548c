"""Tests of `decide` over everything that can be said."""
