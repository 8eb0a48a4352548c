"""Tests of sealed texts and the keys of accounts."""
