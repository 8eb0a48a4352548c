"""The pages in a real browser, on a real broker and a real database."""
