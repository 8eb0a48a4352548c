"""The SQL views that people read; `projector.migrations` creates them."""
