"""Command files: read, run on simulated time, or published."""
