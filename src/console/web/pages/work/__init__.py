"""The pages of what waits for a person: applications, tasks, held refunds, dead letters."""
