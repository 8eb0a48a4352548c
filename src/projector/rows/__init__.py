"""The tables, the row changes of events, and how a batch of changes is written."""
