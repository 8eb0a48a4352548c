"""Programs elsewhere that are told of events: what each has taken, what an operator does."""
