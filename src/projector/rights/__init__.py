"""The database's half of the access matrix: roles and grants are made from it, and compared with it."""
