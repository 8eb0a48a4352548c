"""Bugs of rules: what the decider makes of a story differs from what the model makes of it."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from ledger.calculations import return_value
from ledger.decide import gateway_answers
from ledger.policies.case import Case
from ledger.state import instances
from ledger.state.entities import InstanceOrder
from ledger.vocabulary.commands import ConfirmCardRefund
from ledger.vocabulary.events import InstanceDowngraded
from ledger.vocabulary.shapes import GatewayAnswer
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


def _paid_twice_and_only_recorded(patch: Patch) -> None:
    """What a gateway pays a second time is booked: the customer owes it."""

    def overpaid(_: Case, command: ConfirmCardRefund, __: Any, number: int) -> Any:
        return (gateway_answers._recorded(command, number, GatewayAnswer.CONFIRMED),)

    patch.put(gateway_answers, "_overpaid", overpaid)


MUTANTS = tuple(
    map(
        mutant,
        (
            _upgrade_counted_from_itself,
            _downgrade_keeps_what_was_paid,
            _paid_twice_and_only_recorded,
        ),
    )
)
