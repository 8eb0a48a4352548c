"""The commands of `refundctl`, one file or folder each."""
