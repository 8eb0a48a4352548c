"""What all commands use on the terminal: output, progress bars, error messages, log lines."""
