"""The rules: what each says, its numbers in force and before, and what another would change."""
