"""Bugs of rules: what the decider makes of a story differs from what the model makes of it."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from ledger.calculations import return_value
from ledger.state import instances
from ledger.state.entities import InstanceOrder
from ledger.vocabulary.events import InstanceDowngraded
from tests.simulation.mutants.planting import Patch, mutant


def _upgrade_counted_from_itself(patch: Patch) -> None:
    """The days of an upgrade are those of its order, not those since the upgrade."""

    def left(order: InstanceOrder, upgrade: Any, at: Any, currency: Any) -> Any:
        return original(replace(order, delivered_at=upgrade.upgraded_at), upgrade, at, currency)

    original = patch.put(return_value, "upgrade_left", left)


def _downgrade_keeps_what_was_paid(patch: Patch) -> None:
    """After a downgrade only what is left counts as paid."""

    def smaller(order: InstanceOrder, event: InstanceDowngraded) -> InstanceOrder:
        found: InstanceOrder = original(order, event)
        return replace(found, line=replace(found.line, paid=order.line.paid))

    original = patch.put(instances, "_smaller", smaller)


MUTANTS = tuple(
    mutant(plant) for plant in (_upgrade_counted_from_itself, _downgrade_keeps_what_was_paid)
)
