"""Tests of the rules that all stories share."""
