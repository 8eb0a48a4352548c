"""Values: money, instants, ids and the refusal codes. They import nothing else of the ledger."""
