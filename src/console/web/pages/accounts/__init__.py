"""The pages about one account: what it has, what happened, its recycle bin and its refunds."""
