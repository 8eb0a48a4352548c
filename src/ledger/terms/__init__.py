"""The terms: the numbers of the rules, one file per version, and the table of versions."""
