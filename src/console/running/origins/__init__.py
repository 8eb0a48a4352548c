"""The files of the table of origins and of its keys, and who signs what this program publishes."""
