"""One publishes at a time, and nobody waits for ever to be the next."""

from __future__ import annotations

import pytest

from console.web import backend
from ledger.log.seam import LogUnavailable
from tests.console.web.test_own_site import NOBODY


def test_who_waits_too_long_for_the_others_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "_PATIENCE_SECONDS", 0.0)
    held = backend.Backend(NOBODY)
    with held._publishing, pytest.raises(LogUnavailable, match="others wait for the brokers"):
        held.publish([])
    assert not held._publishing.locked()
