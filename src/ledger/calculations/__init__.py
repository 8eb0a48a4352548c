"""The calculations: one method per file, pure, each with its working."""
