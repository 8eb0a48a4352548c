"""Programs of the house itself; nothing here is shipped."""
