"""Tests of the pages about an account, of the recycle bin, refunds, marketplace and work."""
