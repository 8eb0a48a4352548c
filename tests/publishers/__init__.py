"""The example publishers are run as they stand, each with the tools of its own language."""
