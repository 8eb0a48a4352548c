"""Tests of the checks of `refundctl doctor`."""
