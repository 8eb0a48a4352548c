"""Tests of settlement and corrections: where the money goes, and how it comes back."""
