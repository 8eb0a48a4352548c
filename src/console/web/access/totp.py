"""One-time codes by time (RFC 6238): HMAC-SHA-1, thirty seconds, six digits."""

from __future__ import annotations

import hmac
import struct
from base64 import b32encode
from urllib.parse import quote, urlencode

STEP_SECONDS, DIGITS, SECRET_BYTES = 30, 6, 20
_EARLY_AND_LATE = (-1, 0, 1)
_ISSUER = "Refund ledger"


def code_of(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of a step of thirty seconds since 1970 (RFC 4226, section 5.3)."""
    digest = hmac.digest(secret, struct.pack(">Q", step), "sha1")
    start = digest[-1] & 0x0F
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**digits:0{digits}d}"


def step_of(secret: bytes, code: str, now_seconds: int, used: int) -> int | None:
    """The step whose code this is: the present one, or one beside it, for clocks that differ.

    None for a wrong code, and for one of the step `used` or before it: each counts once.
    """
    found = None
    for away in _EARLY_AND_LATE:
        step = now_seconds // STEP_SECONDS + away
        right = hmac.compare_digest(code_of(secret, step).encode(), code.encode("utf-8", "replace"))
        if right and step > used:
            found = step
    return found


def address_of(name: str, secret: bytes) -> str:
    """The `otpauth` address that an application for codes takes."""
    told = {"secret": b32encode(secret).decode(), "issuer": _ISSUER}
    return f"otpauth://totp/{quote(f'{_ISSUER}:{name}')}?{urlencode(told, quote_via=quote)}"
