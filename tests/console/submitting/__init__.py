"""Tests of files of commands: simulated, submitted, turned away."""
