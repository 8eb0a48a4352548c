"""The command line: what it prints, what it refuses, and that a sandbox does what is simulated."""
