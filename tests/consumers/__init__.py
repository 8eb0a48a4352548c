"""Tests of the handlers: decider, reactions, deadlines, and the real processes."""
