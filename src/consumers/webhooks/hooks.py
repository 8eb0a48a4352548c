"""What a webhook is, and which events it is told of. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from ledger.values.wording import worded
from ledger.vocabulary.events import EVENTS, LedgerOpened

CONSUMER = "webhooks"
MOST_HOOKS = 100
"""Each has its own connections, so that none waits for another; their number is bounded."""
TOLD = tuple(sorted(name for name, kind in EVENTS.items() if kind is not LedgerOpened))
"""The events that a hook can be told of: all those of an account."""

NO_ACCOUNT = ""
"""The queue of a hook's test deliveries: no account has an empty id."""
_ALL = frozenset(TOLD)


class Secret(Struct, frozen=True, kw_only=True):
    """A secret of a hook as it is stored: wrapped under the master key, or plain."""

    number: int
    stored: bytes
    wrapped: bool

    def __repr__(self) -> str:
        return f"Secret(number={self.number})"


class Hook(Struct, frozen=True, kw_only=True):
    """A webhook that has not ended. No `events`: it is told of all. `starts` has for each partition
    the first offset that it is told of; `secrets` are those that sign now, the newest first.
    """

    hook_id: str
    url: str
    events: frozenset[str]
    starts: tuple[int, ...]
    secrets: tuple[Secret, ...] = ()

    def wants(self, event_name: str, partition: int, offset: int) -> bool:
        """Whether it is told of that event."""
        begins = self.starts[partition] if partition < len(self.starts) else 0
        return offset >= begins and event_name in (self.events or _ALL)


def named(text: str) -> list[str]:
    """The events of `RefundIssued, RefundSettled`; none of `all`. ValueError says what is wrong."""
    if text.strip() == "all":
        return []
    names = sorted({each.strip() for each in text.split(",") if each.strip()})
    wrong = [name for name in names if name not in TOLD]
    if wrong:
        raise ValueError(
            worded(
                "no such event as {name}; write names of docs/reference/events.md, separated by "
                "commas, or all",
                name=repr(wrong[0]),
            )
        )
    if not names:
        raise ValueError(
            worded(
                "no such event; write names of docs/reference/events.md, separated by commas, or "
                "all"
            )
        )
    return names


def begins(hooks: Sequence[Hook], partition: int) -> int:
    """The first offset of a partition that any of them is told of."""
    return min(hook.starts[partition] for hook in hooks)
