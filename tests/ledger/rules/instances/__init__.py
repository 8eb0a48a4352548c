"""Tests of the rules of instances and their recycle bin."""
