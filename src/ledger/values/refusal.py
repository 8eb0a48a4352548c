"""A refusal as a value: the fixed list of codes, and the details of one violated rule."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Code(StrEnum):
    """Why a command is refused. A fixed list: a code and its meaning never change."""

    COMMAND_ID_REUSED = "COMMAND_ID_REUSED"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    FORBIDDEN = "FORBIDDEN"
    WRONG_STATE = "WRONG_STATE"
    ACCESS_REVOKED = "ACCESS_REVOKED"
    ALREADY_EXPIRED = "ALREADY_EXPIRED"
    NOT_IN_RECYCLE_BIN = "NOT_IN_RECYCLE_BIN"
    RETENTION_ELAPSED = "RETENTION_ELAPSED"
    NOT_PENDING = "NOT_PENDING"
    ALREADY_CORRECTED = "ALREADY_CORRECTED"
    NOT_DUE = "NOT_DUE"
    CURRENCY_MISMATCH = "CURRENCY_MISMATCH"
    ACCOUNT_TYPE_NOT_ELIGIBLE = "ACCOUNT_TYPE_NOT_ELIGIBLE"
    ACCOUNT_IN_ARREARS = "ACCOUNT_IN_ARREARS"
    RENEWAL_REQUIRED = "RENEWAL_REQUIRED"
    RETURN_QUOTA_EXHAUSTED = "RETURN_QUOTA_EXHAUSTED"
    SELF_SERVICE_NOT_SUPPORTED = "SELF_SERVICE_NOT_SUPPORTED"
    REVIEW_PERIOD_OVER = "REVIEW_PERIOD_OVER"
    NOT_REFUNDABLE = "NOT_REFUNDABLE"
    REASON_REQUIRED = "REASON_REQUIRED"
    INVOICE_MUST_BE_WITHDRAWN = "INVOICE_MUST_BE_WITHDRAWN"
    INVOICE_MUST_BE_RETURNED = "INVOICE_MUST_BE_RETURNED"
    EXCEEDS_PAID = "EXCEEDS_PAID"
    NOT_OWNER = "NOT_OWNER"
    REFUND_CAP_EXCEEDED = "REFUND_CAP_EXCEEDED"
    INVALID_QUANTITY = "INVALID_QUANTITY"
    DIFFERENT_TYPE = "DIFFERENT_TYPE"
    NOT_EXCHANGEABLE = "NOT_EXCHANGEABLE"
    NEW_TOTAL_TOO_LOW = "NEW_TOTAL_TOO_LOW"
    SWAP_NOT_SUPPORTED = "SWAP_NOT_SUPPORTED"
    QUOTE_REQUIRED = "QUOTE_REQUIRED"
    QUOTE_EXPIRED = "QUOTE_EXPIRED"
    QUOTE_USED = "QUOTE_USED"
    QUOTE_CHANGED = "QUOTE_CHANGED"
    NOT_ACKNOWLEDGED = "NOT_ACKNOWLEDGED"


class Violation(Struct, frozen=True, kw_only=True):
    """One violated rule: its name, the code, a sentence for people, and the compared figures.

    Figures are text: money as decimal strings in the account's currency (names ending in `_usd` in
    US dollars), instants as RFC 3339, days as ISO 8601.
    """

    rule: str
    code: Code
    message: str
    figures: dict[str, str]
