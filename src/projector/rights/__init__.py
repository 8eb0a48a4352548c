"""The access matrix in the database: roles and grants are made from it, and compared with it."""
