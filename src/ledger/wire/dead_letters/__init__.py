"""Dead letters as records: what is set aside, and what closes it."""
