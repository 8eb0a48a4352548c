"""Idempotency: a command id always has the same content."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.state.entities import RefusedReuse, SeenCommand
from ledger.state.reading import reuse_id
from ledger.values.refusal import Code, Violation


def is_duplicate(case: Case) -> bool:
    """Was this same command decided before, or this same reuse refused before?

    Same id, same content: nothing new happens, the first outcome is valid. By hand: c-7 returned
    i-1; c-7 with the same content again: no event. c-7 with another instance: refused once
    (`COMMAND_ID_REUSED`); this content again: no event.
    """
    command_id = case.given.meta.command_id
    seen = case.find(SeenCommand, command_id)
    if seen is None:
        return False
    refused = reuse_id(command_id, case.digest)
    return seen.digest == case.digest or case.find(RefusedReuse, refused) is not None


def command_id_reused(case: Case) -> Iterator[Violation]:
    """The id was used before, with other content. Source: decided for this ledger."""
    seen = case.find(SeenCommand, case.given.meta.command_id)
    if seen is not None and seen.digest != case.digest:
        yield violation(
            "idempotency",
            Code.COMMAND_ID_REUSED,
            Said(
                "command id {command_id} was used before with other content; "
                "send this command under an id of its own"
            ),
            command_id=case.given.meta.command_id,
            first_sequence=str(seen.sequence),
        )
