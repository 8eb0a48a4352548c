"""The receiver of the arena's webhook, and what must be true of what it got."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from consumers.webhooks.bodies import body_of, webhook_id
from ledger.log.seam import LogRecord
from ledger.wire.avro.codec import decode_event
from tests.consumers.webhooks.receivers import Got
from tests.torture.history import Kind, Violation


def told_rightly(
    hook_id: str, events: Sequence[LogRecord], got: Sequence[Got]
) -> Iterator[Violation]:
    """Every event of an account came, as it is at every repeat, and first in order."""
    wanted: dict[str, tuple[str, int, bytes]] = {}
    for each in events:
        event = decode_event(each.value)
        if event.meta.account_id:
            known = webhook_id(hook_id, event.meta.event_id)
            wanted[known] = (event.meta.account_id, event.meta.sequence, body_of(event))
    firsts: dict[str, list[int]] = defaultdict(list)
    seen: set[str] = set()
    for told in got:
        known = told.webhook_id
        if known not in wanted:
            yield _violation(Kind.DOUBLED, f"webhook {known} was sent of no event of this cell")
            continue
        account, sequence, body = wanted[known]
        if told.body != body:
            yield _violation(Kind.WRONG_OUTCOME, f"webhook {known} is not the event")
        if known not in seen:
            firsts[account].append(sequence)
            seen.add(known)
    for known in sorted(wanted.keys() - seen):
        yield _violation(Kind.LOST, f"webhook {known} never came")
    for account, sequences in firsts.items():
        if sequences != sorted(sequences):
            yield _violation(Kind.REORDERED, f"webhooks of {account} came as {sequences}")


def _violation(kind: Kind, what: str) -> Violation:
    return Violation(kind=kind, what=what)
