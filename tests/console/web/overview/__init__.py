"""The overview: its figures, its picture, and what each leads to."""
