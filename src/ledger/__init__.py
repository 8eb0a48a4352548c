"""What is true and what is allowed: the vocabulary, the rules and the log they stand on."""
