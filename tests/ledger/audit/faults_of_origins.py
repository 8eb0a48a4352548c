"""Faults of who gave a command, in a ledger without a table of origins; each returns its place."""

from __future__ import annotations

from ledger.vocabulary.events import InstanceRestored
from tests.ledger.audit.recorded import Place, RecordedLog, event_at


def version_that_is_not_there(s: RecordedLog) -> Place:
    return event_at(s.forge_meta(InstanceRestored, origins="1:00"))


def origin_without_a_version(s: RecordedLog) -> Place:
    return event_at(s.forge_meta(InstanceRestored, origin="billing"))


def key_without_a_version(s: RecordedLog) -> Place:
    return event_at(s.forge_meta(InstanceRestored, origin_key="k1"))
