"""Signs a request as the Standard Webhooks specification says. Pure."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterable

from ledger.values.instants import SECOND, Instant

SECRET_BYTES = 32
_PREFIX = "whsec_"


def secret_text(secret: bytes) -> str:
    """A secret as its receiver gets it."""
    return _PREFIX + b64encode(secret).decode()


def headers(webhook_id: str, now: Instant, body: bytes, secrets: Iterable[bytes]) -> dict[str, str]:
    """The three headers. Each secret signs the id, the time of this try and the body: a receiver
    that knows one of them can verify the request.
    """
    timestamp = str(now // SECOND)
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: bytes, signed: bytes) -> str:
    return "v1," + b64encode(hmac.digest(secret, signed, "sha256")).decode()
