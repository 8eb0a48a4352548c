"""Values: money, instants, ids and the refusal codes. They know nothing else of ours."""
