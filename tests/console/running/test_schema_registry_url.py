"""A schema registry that does not answer stops a process at its start, in one sentence."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from console.running.ledger_locator import use_schema_registry
from console.running.settings import Settings
from console.terminal.errors import FAILED, explain
from ledger.vocabulary.events import RefundIssued
from ledger.wire.avro.codec import encode_event, use_registry
from ledger.wire.avro.framing import RegistryUnavailable
from tests.ledger.wire.avro.registry_server import running_registry
from tests.samples import sample_event


@pytest.fixture(autouse=True)
def _without_registry_afterwards() -> Iterator[None]:
    yield
    use_registry(None)


def settings(monkeypatch: pytest.MonkeyPatch, url: str) -> Settings:
    monkeypatch.setenv("SCHEMA_REGISTRY_URL", url)
    return Settings()


def first_byte() -> str:
    return encode_event(sample_event(RefundIssued))[0][:1].hex()


def test_no_registry_means_fingerprints(monkeypatch: pytest.MonkeyPatch) -> None:
    use_schema_registry(settings(monkeypatch, ""))
    assert first_byte() == "c3"


def test_a_registry_that_is_down_is_told_and_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RegistryUnavailable) as caught:
        use_schema_registry(settings(monkeypatch, "http://127.0.0.1:1"), register=True)
    told = explain(caught.value)
    assert told is not None
    assert told[0] == FAILED
    assert "SCHEMA_REGISTRY_URL" in told[1]
    assert first_byte() == "c3"


def test_a_process_registers_every_schema_before_it_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with running_registry() as server:
        use_schema_registry(settings(monkeypatch, server.url), register=True)
        asked = len(server.asked)
        assert first_byte() == "00"
        assert len(server.asked) == asked
