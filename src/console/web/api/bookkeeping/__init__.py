"""The API of the books and of the rules: closings of months, numbers by version, and what-if."""
