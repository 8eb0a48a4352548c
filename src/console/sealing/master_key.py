"""The master key, from its file: it wraps the keys of accounts, which are in the database."""

from __future__ import annotations

import binascii
import os
from base64 import b64decode
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from console.running.secret_files import read_secret
from console.running.settings import Settings
from console.terminal.errors import BadInput, Failed
from ledger.vocabulary.sealing import KEY_BYTES, AccountKey

SETTING = "REFUNDS_MASTER_KEY_FILE"
OTHER = "REFUNDS_OTHER_MASTER_KEY_FILE"
_NONCE_BYTES = 12


class MasterKey:
    """Wraps and unwraps secrets, each bound to its place. While it is replaced there is an `other`,
    under which nothing is wrapped, and which unwraps what was wrapped under it.
    """

    def __init__(self, secret: bytes, other: bytes | None = None) -> None:
        self._cipher = AESGCM(secret)
        self._ciphers = [self._cipher] if other is None else [self._cipher, AESGCM(other)]

    def new_key(self, account_id: str, number: int) -> bytes:
        """A random key, in its wrapped form."""
        return self.encrypted(bound_to_account(account_id, number), os.urandom(KEY_BYTES))

    def unwrapped(self, account_id: str, number: int, wrapped: bytes) -> AccountKey:
        """The key of a wrapped form. Raises Failed if it is under another master key."""
        secret = self.decrypted(bound_to_account(account_id, number), wrapped)
        if secret is None:
            raise Failed(
                f"key {number} of account {account_id} was not made under this master key; set "
                f"{SETTING} to the file of the one under which it was made, or {OTHER} while it is "
                "being replaced"
            )
        return AccountKey(number=number, secret=secret)

    def wrapped_factor(self, name: str, secret: bytes) -> bytes:
        """The wrapped form of a person's second factor."""
        return self.encrypted(bound_to_person(name), secret)

    def unwrapped_factor(self, name: str, wrapped: bytes) -> bytes:
        """The secret of that form. Raises Failed if it is under another master key."""
        secret = self.decrypted(bound_to_person(name), wrapped)
        if secret is None:
            raise Failed(
                f"the second factor of {name} was not kept under this master key; set {SETTING} to "
                "the file of the one under which it was"
            )
        return secret

    def is_own(self, bound: bytes, wrapped: bytes) -> bool:
        """Whether it was wrapped under this key, not the other one."""
        return _decrypted([self._cipher], bound, wrapped) is not None

    def rewrapped(self, bound: bytes, wrapped: bytes) -> bytes | None:
        """The same secret under this key; None if it is under neither."""
        secret = self.decrypted(bound, wrapped)
        return None if secret is None else self.encrypted(bound, secret)

    def decrypted(self, bound: bytes, wrapped: bytes) -> bytes | None:
        """The secret of a wrapped form; None if it is under neither."""
        return _decrypted(self._ciphers, bound, wrapped)

    def encrypted(self, bound: bytes, secret: bytes) -> bytes:
        """The wrapped form of a secret."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, bound)


def master_key(settings: Settings) -> MasterKey | None:
    """That of the settings; None if they name none. BadInput if its file is not as it must be."""
    path, other = settings.master_key_file, settings.other_master_key_file
    if path is None:
        if other is not None:
            raise BadInput(f"{OTHER} is set without {SETTING}; set both, or the second alone")
        return None
    own = _secret_of(SETTING, path.expanduser())
    return MasterKey(own, None if other is None else _secret_of(OTHER, other.expanduser()))


def _secret_of(setting: str, path: Path) -> bytes:
    """The key of a file: 32 bytes in base64, on one line."""
    text = read_secret(setting, path).get_secret_value()
    try:
        secret = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != KEY_BYTES:
        raise BadInput(
            f"{setting} {path}: not {KEY_BYTES} bytes in base64; make one with "
            f"'openssl rand -base64 {KEY_BYTES}'"
        )
    return secret


def _decrypted(ciphers: Iterable[AESGCM], bound: bytes, wrapped: bytes) -> bytes | None:
    nonce, box = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
    for cipher in ciphers:
        with suppress(InvalidTag):
            return cipher.decrypt(nonce, box, bound)
    return None


def bound_to_account(account_id: str, number: int) -> bytes:
    """A wrapped key opens only as that key of that account."""
    return f"{number}:{account_id}".encode()


def bound_to_hook(hook_id: str, number: int) -> bytes:
    """A number below zero: a secret of a webhook opens as no key of an account."""
    return bound_to_account(hook_id, -number)


def bound_to_person(name: str) -> bytes:
    """A second factor opens only as that person's."""
    return f"totp:{name}".encode()
