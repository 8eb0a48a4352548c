"""Examines a ledger: one check per file, and what each finding means."""
