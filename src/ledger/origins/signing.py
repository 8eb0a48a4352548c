"""Signing: what of a command is signed, by which key, and the headers that carry it."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from hashlib import sha256

from msgspec import Struct

from ledger.origins.table import Algorithm

ORIGIN, SIGNATURE = "refunds-origin", "refunds-signature"
"""The headers: `<origin>/<key id>`, and the signature in hexadecimal digits."""
COMMANDS_TOPIC = "refunds.commands.v1"
_FORM = "refunds-command-1"
_RECOGNISED_BY = b"refunds-origin-key-1"

Sign = Callable[[bytes], bytes]
"""The signature of some bytes."""


def beginning(ledger_id: str, origin: str, key_id: str) -> bytes:
    """The lines that are the same for all commands of a key in one ledger.

    `ledger_id` is the id that the brokers gave the ledger's commands topic.
    """
    return "".join(
        f"{line}\n" for line in (_FORM, COMMANDS_TOPIC, ledger_id, f"{origin}/{key_id}")
    ).encode()


def signed_bytes(start: bytes, account_id: str, command_id: str, value: bytes) -> bytes:
    """What is signed: `beginning`, then the record's key, the command's id and the value's SHA-256,
    a line each. No id has a line's end in it.
    """
    return start + f"{account_id}\n{command_id}\n{sha256(value).hexdigest()}\n".encode()


class Signer(Struct, frozen=True, kw_only=True):
    """Signs commands for one ledger with one key of an origin."""

    origin: str
    key_id: str
    ledger_id: str
    sign: Sign

    def headers(
        self, account_id: str, command_id: str, value: bytes
    ) -> tuple[tuple[str, bytes], ...]:
        """The two headers of a command's record."""
        start = beginning(self.ledger_id, self.origin, self.key_id)
        signature = self.sign(signed_bytes(start, account_id, command_id, value))
        return (
            (ORIGIN, f"{self.origin}/{self.key_id}".encode()),
            (SIGNATURE, signature.hex().encode()),
        )


Signing = Callable[[], Signer | None]
"""Who signs now; asked before every batch, so that keys may change."""


def unsigned() -> None:
    """Nobody signs."""


def hmac_sha256(secret: bytes) -> Sign:
    """Signs with a secret that the ledger knows too. A copy of one that has the secret takes half
    the time of a new one.
    """
    prepared = hmac.new(secret, digestmod="sha256")

    def sign(text: bytes) -> bytes:
        one = prepared.copy()
        one.update(text)
        return one.digest()

    return sign


def ed25519(private_key: bytes) -> Sign:
    """Signs with a private key of 32 bytes."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(private_key).sign


def sign_of(algorithm: Algorithm, secret: bytes) -> Sign:
    """Signs with the secret half of a key."""
    return hmac_sha256(secret) if algorithm is Algorithm.HMAC_SHA256 else ed25519(secret)


def proof_of(algorithm: Algorithm, secret: bytes) -> bytes:
    """What the table has of a key: its public half, or what recognises its secret.

    A secret has 256 random bits, so that nothing can be learned from this about it.
    """
    if algorithm is Algorithm.HMAC_SHA256:
        return hmac.digest(secret, _RECOGNISED_BY, "sha256")
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
