"""Rebuilding: makes the read models anew beside the live ones, and puts them in place."""
