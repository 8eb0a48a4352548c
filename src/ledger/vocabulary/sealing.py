"""Seals the free texts of a command under a key of its account, and opens them. Pure.

The form is `sealed:1:<key number>:<base64url of nonce, ciphertext and tag>`. AES-256-GCM; a sealed
text opens only in the field of the command of the account for which it was sealed.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from functools import cache
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from ledger.vocabulary.envelope import GivenCommand
from ledger.vocabulary.fields import Text, fields_of

KEY_BYTES: Final = 32
SEALED_FIELDS: Final[Mapping[str, str]] = {
    "note": "note",
    "reason": "reason",
    "ticket": "ticket",
    "gateway_reason": "reason",
}
"""The fields with free texts: the name in commands and events → the name under which it is sealed.
"""
_OWN_WORDS = frozenset({("SupportTaskOpened", "reason")})
"""What has the name of a free text, and is the ledger's own."""
ERASED: Final = "erased"
"""What is recorded, and shown, in place of a text whose key is destroyed."""
_NONCE_BYTES = 12
FORM: Final = "sealed:1:([1-9][0-9]{0,8}):([A-Za-z0-9_-]+)"
"""A sealed text as a pattern, also of PostgreSQL: the number of its key, and the box."""
_FORM = re.compile(FORM)


class AccountKey(Struct, frozen=True, kw_only=True):
    """A key of an account, 32 bytes, with its number, from 1 on."""

    number: int
    secret: bytes

    def __repr__(self) -> str:
        return f"AccountKey(number={self.number})"


class Place(Struct, frozen=True, kw_only=True):
    """Where a sealed text belongs."""

    account_id: str
    command_id: str
    field: str

    @property
    def encoded(self) -> bytes:
        """Its bytes; those of no other place."""
        return msgspec.json.encode((self.account_id, self.command_id, self.field))


def sealed(key: AccountKey, place: Place, text: str) -> str:
    """The sealed text. The same key, place and text give the same characters again: the nonce is
    derived from them, so that a repeated command is known as one.
    """
    plain = text.encode()
    nonces = hmac.digest(key.secret, b"sealed:1 nonce", "sha256")
    said = len(place.encoded).to_bytes(4, "big") + place.encoded + plain
    nonce = hmac.digest(nonces, said, "sha256")[:_NONCE_BYTES]
    box = nonce + AESGCM(key.secret).encrypt(nonce, plain, place.encoded)
    return f"sealed:1:{key.number}:{urlsafe_b64encode(box).decode().rstrip('=')}"


def opened(key: AccountKey, place: Place, text: str) -> str | None:
    """The clear text; None if the text was changed or moved, or is under another key."""
    form = _FORM.fullmatch(text)
    if form is None:
        return None
    box = urlsafe_b64decode(form[2] + "=" * (-len(form[2]) % 4)) if len(form[2]) % 4 != 1 else b""
    try:
        plain = AESGCM(key.secret).decrypt(box[:_NONCE_BYTES], box[_NONCE_BYTES:], place.encoded)
    except (InvalidTag, ValueError):  # ValueError: too short for a nonce
        return None
    found = plain.decode()
    return found if sealed(key, place, found) == text else None


def key_number(text: str) -> int | None:
    """The number of the key under which a text is sealed; None for a clear text."""
    form = _FORM.fullmatch(text)
    return None if form is None else int(form[1])


@cache
def text_fields(kind: type[Struct]) -> tuple[str, ...]:
    """The fields of a command or an event that have free texts, in order."""
    return tuple(
        field.name
        for field in fields_of(kind)
        if field.name in SEALED_FIELDS and isinstance(field.kind, Text)
        if (kind.__name__, field.name) not in _OWN_WORDS
    )


def clear_texts(given: GivenCommand) -> dict[str, str]:
    """The free texts of a command that are not sealed, by field."""
    return {
        name: text
        for name in text_fields(type(given.body))
        if (text := getattr(given.body, name)) and key_number(text) is None
    }


def without_erased(given: GivenCommand, up_to: int) -> GivenCommand:
    """The command as it is recorded once the keys up to a number are destroyed: a word stands for
    each text that nobody can read.
    """
    gone = {
        name: ERASED
        for name in text_fields(type(given.body))
        if (number := key_number(getattr(given.body, name) or "")) and number <= up_to
    }
    if not gone:
        return given
    return msgspec.structs.replace(given, body=msgspec.structs.replace(given.body, **gone))


def sealed_command(given: GivenCommand, key: AccountKey) -> GivenCommand:
    """The command with every free text sealed."""
    meta = given.meta
    texts = {
        name: sealed(
            key,
            Place(account_id=meta.account_id, command_id=meta.command_id, field=name),
            text,
        )
        for name, text in clear_texts(given).items()
    }
    return msgspec.structs.replace(given, body=msgspec.structs.replace(given.body, **texts))
