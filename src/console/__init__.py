"""Every door a person uses: the command line refundctl and what grows beside it."""
