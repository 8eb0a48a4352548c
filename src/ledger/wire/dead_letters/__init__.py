"""Dead letters as records: the letters, and the resolutions that close them."""
