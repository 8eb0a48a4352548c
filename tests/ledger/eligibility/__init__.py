"""Eligibility: what may be done now with each thing of an account."""
