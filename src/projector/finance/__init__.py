"""The SQL views that people read; `projector.migrations` makes them."""
