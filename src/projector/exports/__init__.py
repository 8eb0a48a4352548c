"""Writes what the finance views show into files: one module for each format, all of one extract."""
