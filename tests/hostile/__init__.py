"""Hostile records among good ones: what may be read is decided, all else is set aside."""
