"""The pages: made on the server, without scripts where nothing has to move."""
