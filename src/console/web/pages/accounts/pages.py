"""The pages of this room."""

from __future__ import annotations

from console.web.pages.accounts import account, recycle_bin, refund

PAGES = (account, recycle_bin, refund)
