"""The secrets of webhooks: wrapped under the master key where there is one, else plain.

They are wrapped as keys of accounts are, with a number below zero, so that neither opens as the
other.
"""

from __future__ import annotations

from collections.abc import Callable

from console.sealing.master_key import SETTING, MasterKey
from console.terminal.errors import Failed
from consumers.webhooks.hooks import Secret
from ledger.vocabulary.sealing import AccountKey


def wrapping(master: MasterKey | None) -> Callable[[str, int, bytes], Secret]:
    """Makes of a hook's id, a number and a secret what is stored."""

    def wrap(hook_id: str, number: int, secret: bytes) -> Secret:
        if master is None:
            return Secret(number=number, stored=secret, wrapped=False)
        stored = master.wrapped(hook_id, AccountKey(number=-number, secret=secret))
        return Secret(number=number, stored=stored, wrapped=True)

    return wrap


def unwrapping(master: MasterKey | None) -> Callable[[str, Secret], bytes]:
    """Makes of a hook's id and what is stored the secret. ValueError says what is missing."""

    def unwrap(hook_id: str, secret: Secret) -> bytes:
        if not secret.wrapped:
            return secret.stored
        try:
            if master is not None:
                return master.unwrapped(hook_id, -secret.number, secret.stored).secret
        except Failed:
            pass
        raise ValueError(f"its secret is wrapped; set {SETTING} to the master key of that time")

    return unwrap
