"""The terms: the numbers the rules use, a file for each version, and the table that reads them."""
