"""Writes finance views to files: one module for each format, all from one extract."""
