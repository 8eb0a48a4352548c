"""Secrets of webhooks are wrapped under the master key, where there is one."""

from __future__ import annotations

import pytest

from console.sealing.master_key import MasterKey
from console.sealing.webhook_secrets import unwrapping, wrapping
from console.terminal.errors import Failed
from consumers.webhooks.hooks import Secret

OLD, NEW = b"o" * 32, b"n" * 32
SECRET = b"the secret of the receiver 32 by"


def test_a_wrapped_secret_opens_only_as_what_it_is() -> None:
    stored = wrapping(MasterKey(OLD))("hook_1", 1, SECRET)
    assert stored.wrapped
    assert SECRET not in stored.stored
    unwrap = unwrapping(MasterKey(OLD))
    assert unwrap("hook_1", stored) == SECRET
    other = Secret(number=2, stored=stored.stored, wrapped=True)
    for hook, secret in (("hook_2", stored), ("hook_1", other)):
        with pytest.raises(ValueError, match="REFUNDS_MASTER_KEY_FILE"):
            unwrap(hook, secret)
    with pytest.raises(Failed, match="key 1 of account hook_1"):
        MasterKey(OLD).unwrapped("hook_1", 1, stored.stored)


@pytest.mark.parametrize("master", [None, MasterKey(NEW)])
def test_without_its_master_key_a_secret_stays_closed(master: MasterKey | None) -> None:
    stored = wrapping(MasterKey(OLD))("hook_1", 1, SECRET)
    with pytest.raises(ValueError, match="REFUNDS_MASTER_KEY_FILE"):
        unwrapping(master)("hook_1", stored)


def test_without_a_master_key_a_secret_is_stored_as_it_is() -> None:
    stored = wrapping(None)("hook_1", 1, SECRET)
    assert (stored.stored, stored.wrapped) == (SECRET, False)
    assert unwrapping(None)("hook_1", stored) == unwrapping(MasterKey(OLD))("hook_1", stored)


def test_a_secret_is_not_shown_by_accident() -> None:
    assert "SECRET" not in repr(wrapping(None)("hook_1", 1, b"SECRET"))
