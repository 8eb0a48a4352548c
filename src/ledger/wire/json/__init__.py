"""JSON: commands and events as lines of text, and files of commands."""
