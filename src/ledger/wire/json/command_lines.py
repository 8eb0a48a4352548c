"""What a file of commands is made of: lines, what they refer to, and what that comes to."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import Struct

from ledger.values.ids import derived_id
from ledger.values.instants import Instant
from ledger.values.money import Currency, Minor
from ledger.values.wording import Wording
from ledger.vocabulary.envelope import GivenCommand

ADVANCE_CLOCK = "AdvanceClock"

REFERENCES = {
    "quote_id": "quote_of",
    "confirmed_amount": "amount_of",
    "refund_id": "refund_of",
    "request_id": "request_of",
    "isolation_id": "isolation_of",
}
"""Field of a body → the word of the reference that may stand for it."""


class Reference(Struct, frozen=True, kw_only=True):
    """A result of an earlier command of the account: `word` is its kind, `of` is that command's id,
    `leg` is the number of an exchange's returned reservation, from 1.
    """

    word: str
    of: str
    leg: int = 1


class CommandLine(Struct, frozen=True, kw_only=True):
    """A command of the file. `references` are the values that are not known yet, by field;
    `resolve` fills them in.
    """

    line_number: int
    at: Instant | None
    command: GivenCommand
    references: dict[str, Reference] = {}
    currency: Currency | None = None

    @property
    def name(self) -> str:
        """The command's name."""
        return self.command.name

    @property
    def id(self) -> str:
        """The command's id."""
        return self.command.meta.command_id

    @property
    def account(self) -> str:
        """The account of the command."""
        return self.command.meta.account_id


class AdvanceClock(Struct, frozen=True, kw_only=True):
    """Advance the sandbox's clock to an instant."""

    line_number: int
    at: Instant


class CommandFileProblem(Struct, frozen=True, kw_only=True):
    """An error in a line: the field, what was found, what was expected."""

    line: int
    field: str
    found: str
    expected: Wording

    def __str__(self) -> str:
        where = f"line {self.line}" + (f", {self.field}" if self.field else "")
        return f"{where}: found {self.found}, expected {self.expected}"


class CommandFile(Struct, frozen=True, kw_only=True):
    """A file that was read. If it has a problem, none of its lines may be used."""

    lines: tuple[CommandLine | AdvanceClock, ...]
    problems: tuple[CommandFileProblem, ...]


class Answer(Struct, frozen=True, kw_only=True):
    """The results of a command that later lines may refer to: a quote with the amount to confirm,
    the refunds in order, an application, an isolation.
    """

    quote_id: str | None = None
    amount: Minor | None = None
    refund_ids: tuple[str, ...] = ()
    request_id: str | None = None
    isolation_id: str | None = None

    def id_of(self, reference: Reference) -> str | None:
        """The id for a reference; None if there is none."""
        match reference.word:
            case "quote_of":
                return self.quote_id
            case "refund_of" if reference.leg <= len(self.refund_ids):
                return self.refund_ids[reference.leg - 1]
            case "request_of":
                return self.request_id
            case "isolation_of":
                return self.isolation_id
        return None


Named = tuple[str, str]
"""Account and command id."""
FindAnswer = Callable[[str, str], Answer | None]
"""Account and command id → the results of the command; None if it has none."""


def resolve(
    line: CommandLine, answers: FindAnswer, sandbox_at: Instant | None = None
) -> GivenCommand:
    """The command to publish, with its references filled in.

    If an earlier command was refused, the id is one that does not exist and no amount is confirmed,
    so that the ledger refuses this command.
    """
    command = line.command
    changes: dict[str, object] = {}
    for field, reference in line.references.items():
        answer = answers(line.account, reference.of) or Answer()
        if reference.word == "amount_of":
            if answer.amount is not None:
                changes |= {field: answer.amount, "currency": line.currency}
        else:
            nothing = derived_id(f"no {reference.word}", line.account, reference.of)
            changes[field] = answer.id_of(reference) or nothing
    return GivenCommand(
        meta=msgspec.structs.replace(command.meta, sandbox_at=sandbox_at),
        body=msgspec.structs.replace(command.body, **changes),
    )
