"""Opening position: what an account brings along is said once, before anything else of it."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.state.entities import Stream
from ledger.values.instants import format_instant
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import RecordOpeningPosition


def wrong_opening_state(case: Case) -> Iterator[Violation]:
    """Right after the opening, and no use of the cap in the future.

    A use of the cap that is too old to count is taken, and so is a position as of a later instant.

    Source: decided for this ledger. By hand: opened on 1 June, an order recorded on 2 June, the
    position on 3 June: `WRONG_STATE`, state IN_USE. A use of the cap at 10:00 in a command decided
    at 09:59: `WRONG_STATE`, state IN_THE_FUTURE, field cap_uses[0].refunded_at; at 10:00: taken. A
    second position: `ALREADY_EXISTS`.
    """
    command = case.command
    if not isinstance(command, RecordOpeningPosition):
        return
    account_id = case.given.meta.account_id
    facts = case.the(Stream, "").facts
    if facts > 1:
        yield violation(
            "opening_position",
            Code.WRONG_STATE,
            Said("account {account} is in use; an opening position comes before all else of it"),
            account=account_id,
            state="IN_USE",
            events=str(facts),
        )
    for index, use in enumerate(command.cap_uses):
        field, instant = f"cap_uses[{index}].refunded_at", use.refunded_at
        if instant > case.now:
            yield violation(
                "opening_position",
                Code.WRONG_STATE,
                Said("{field} is still to come; only what has happened is brought along"),
                account=account_id,
                state="IN_THE_FUTURE",
                field=field,
                instant=format_instant(instant),
                decided_at=format_instant(case.now),
            )
