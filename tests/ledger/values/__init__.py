"""Tests of the values: money, instants, ids, terms, postings."""
