"""Reacting: reads the events and sends the follow-up commands they call for."""
