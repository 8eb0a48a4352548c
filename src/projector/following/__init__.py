"""Following: reads the events in order and shows each batch with where it ends."""
