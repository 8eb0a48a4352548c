"""Who reacts: the decider, the reactions and the deadlines, each a consumer of the log."""
