"""The secrets of webhooks: wrapped under the master key where there is one, else plain."""

from __future__ import annotations

from collections.abc import Callable

from console.sealing.master_key import SETTING, MasterKey, bound_to_hook
from consumers.webhooks.hooks import Secret


def wrapping(master: MasterKey | None) -> Callable[[str, int, bytes], Secret]:
    """Makes of a hook's id, a number and a secret what is stored."""

    def wrap(hook_id: str, number: int, secret: bytes) -> Secret:
        if master is None:
            return Secret(number=number, stored=secret, wrapped=False)
        stored = master.encrypted(bound_to_hook(hook_id, number), secret)
        return Secret(number=number, stored=stored, wrapped=True)

    return wrap


def unwrapping(master: MasterKey | None) -> Callable[[str, Secret], bytes]:
    """Makes of a hook's id and what is stored the secret. ValueError says what is missing."""

    def unwrap(hook_id: str, secret: Secret) -> bytes:
        if not secret.wrapped:
            return secret.stored
        bound = bound_to_hook(hook_id, secret.number)
        found = None if master is None else master.decrypted(bound, secret.stored)
        if found is None:
            raise ValueError(f"its secret is wrapped; set {SETTING} to the master key of that time")
        return found

    return unwrap
