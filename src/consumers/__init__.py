"""The consumers of the log: the decider, the reactions and the deadlines."""
