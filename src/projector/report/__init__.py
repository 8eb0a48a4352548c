"""The report of a period: its figures, its charts, and the page."""
