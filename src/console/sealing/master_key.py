"""The master key, from its file: it wraps the keys of accounts, which are in the database."""

from __future__ import annotations

import binascii
import os
from base64 import b64decode
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from console.running.secret_files import read_secret
from console.running.settings import Settings
from console.terminal.errors import BadInput, Failed
from ledger.vocabulary.sealing import KEY_BYTES, AccountKey

SETTING = "REFUNDS_MASTER_KEY_FILE"
_NONCE_BYTES = 12


class MasterKey:
    """Wraps and unwraps keys of accounts."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(secret)

    def new_key(self, account_id: str, number: int) -> bytes:
        """A random key, in its wrapped form."""
        secret, nonce = os.urandom(KEY_BYTES), os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, _bound(account_id, number))

    def unwrapped(self, account_id: str, number: int, wrapped: bytes) -> AccountKey:
        """The key of a wrapped form. Raises Failed if it is under another master key."""
        nonce, box = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
        try:
            secret = self._cipher.decrypt(nonce, box, _bound(account_id, number))
        except InvalidTag:
            raise Failed(
                f"key {number} of account {account_id} was not made under this master key; set "
                f"{SETTING} to the file of the one under which it was made"
            ) from None
        return AccountKey(number=number, secret=secret)


def master_key(settings: Settings) -> MasterKey | None:
    """That of the settings; None if they name none. BadInput if its file is not as it must be."""
    if settings.master_key_file is None:
        return None
    return read_master_key(settings.master_key_file.expanduser())


def read_master_key(path: Path) -> MasterKey:
    """The key of a file: 32 bytes in base64, on one line."""
    text = read_secret(SETTING, path).get_secret_value()
    try:
        secret = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != KEY_BYTES:
        raise BadInput(
            f"{SETTING} {path}: not {KEY_BYTES} bytes in base64; make one with "
            f"'openssl rand -base64 {KEY_BYTES}'"
        )
    return MasterKey(secret)


def _bound(account_id: str, number: int) -> bytes:
    """A wrapped key opens only as that key of that account."""
    return f"{number}:{account_id}".encode()
