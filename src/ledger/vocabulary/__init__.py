"""The vocabulary: commands and events, the records in them, and the limits of their fields."""
