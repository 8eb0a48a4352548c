"""The text over which a command's digest is: shown unless a part of it is sealed."""

from __future__ import annotations

from hashlib import sha256

from console.explaining.recorded_event import command_told
from ledger.vocabulary.commands import RefundMarketplaceManually
from ledger.vocabulary.digest import command_digest
from ledger.vocabulary.envelope import CommandMeta, GivenCommand
from ledger.vocabulary.sealing import AccountKey, sealed_command
from ledger.vocabulary.shapes import Actor, Role


def refund(ticket: str) -> GivenCommand:
    return GivenCommand(
        meta=CommandMeta(
            command_id="c-1", account_id="acct-1", actor=Actor(id="s-1", role=Role.SUPPORT)
        ),
        body=RefundMarketplaceManually(purchase_id="p-1", ticket=ticket, amount=1, currency="CNY"),
    )


def test_a_clear_text_that_begins_as_a_sealed_one_is_part_of_it() -> None:
    given = refund("sealed:1: see T-18")
    digested = command_told(given)["digested"]
    assert sha256(digested.encode()).digest() == command_digest(given)


def test_with_a_sealed_text_there_is_none() -> None:
    given = sealed_command(refund("T-18"), AccountKey(number=1, secret=bytes(32)))
    assert command_told(given)["digested"] is None
