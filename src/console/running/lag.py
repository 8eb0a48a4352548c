"""How far each consumer of the ledger has read its topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from ledger.log.seam import LogTools, Topic


class Lag(Struct, frozen=True, kw_only=True):
    """How far a consumer has read its topic, by partition; None if it has not begun."""

    consumer: str
    topic: str
    positions: tuple[int | None, ...]
    ends: tuple[int, ...]

    @property
    def by_partition(self) -> tuple[int, ...]:
        """Records not read yet, including transaction markers."""
        pairs = zip(self.positions, self.ends, strict=True)
        return tuple(max(0, end - (position or 0)) for position, end in pairs)


def lags(tools: LogTools, connection: Any) -> tuple[Lag, ...]:
    """Every consumer of the ledger: by its group's offset, or by its checkpoint."""
    from consumers.deadlines.table import CONSUMER as DEADLINES
    from projector.following.projection import CONSUMER as PROJECTOR

    return (
        decider_lag(tools),
        reactions_lag(tools),
        *(checkpoint_lag(tools, connection, consumer) for consumer in (DEADLINES, PROJECTOR)),
        webhooks_lag(tools, connection),
    )


def decider_lag(tools: LogTools) -> Lag:
    """The decider's, by its group's offsets."""
    from consumers.deciding.decider import GROUP
    from ledger.log.seam import Topic

    return _group_lag(tools, "decider", GROUP, Topic.COMMANDS)


def reactions_lag(tools: LogTools) -> Lag:
    """The reactions', by their group's offsets."""
    from consumers.reacting.reactor import GROUP
    from ledger.log.seam import Topic

    return _group_lag(tools, "reactions", GROUP, Topic.EVENTS)


def checkpoint_lag(tools: LogTools, connection: Any, consumer: str) -> Lag:
    """That of a consumer that keeps its positions in the database."""
    from ledger.log.seam import Topic
    from projector.asking.queries import positions

    at = positions(connection, consumer)
    places = tuple(at.get(partition) for partition in range(tools.partition_count))
    ends = tools.end_offsets(Topic.EVENTS)
    return Lag(consumer=consumer, topic=Topic.EVENTS, positions=places, ends=ends)


def webhooks_lag(tools: LogTools, connection: Any) -> Lag:
    """That of the webhooks. Without one nothing is read, and nothing is behind; what no hook is
    told of counts as read.
    """
    from msgspec.structs import replace

    from consumers.webhooks.hooks import CONSUMER, begins
    from consumers.webhooks.table import active_hooks

    found, hooks = checkpoint_lag(tools, connection, CONSUMER), active_hooks(connection)
    if not hooks:
        return replace(found, positions=found.ends)
    at = enumerate(found.positions)
    return replace(found, positions=tuple(max(p or 0, begins(hooks, n)) for n, p in at))


def _group_lag(tools: LogTools, consumer: str, group: str, topic: Topic) -> Lag:
    ends = tools.end_offsets(topic)
    return Lag(
        consumer=consumer,
        topic=topic,
        positions=tools.committed_offsets(group, topic),
        ends=ends,
    )
