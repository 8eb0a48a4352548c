"""The pages to act, gone through as a browser without scripts does."""
