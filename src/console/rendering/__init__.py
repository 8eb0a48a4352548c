"""How events and reports are told, for people and for machines."""
