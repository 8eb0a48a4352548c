"""The books: journal, trial balance, period report, exports, and the closing of a month."""
