"""All pages of a ledger with the example files' stories: their links, amounts and plans."""
