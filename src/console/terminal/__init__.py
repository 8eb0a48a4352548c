"""What every command says things with: output, progress, errors, its own log lines."""
