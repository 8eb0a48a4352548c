"""Snapshots: a partition's state where every decider can reach it."""
