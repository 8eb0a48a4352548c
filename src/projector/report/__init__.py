"""The report of a period: its figures, its pictures, and the page they stand on."""
