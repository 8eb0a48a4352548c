"""The progress of a long task on the log."""

from __future__ import annotations

from msgspec import Struct


class Progress(Struct, frozen=True, kw_only=True):
    """`done` and `total` are sums of offsets over all partitions; `total` is the projector's
    position. `events` were read by this run, which may have `resumed` an earlier one.
    """

    done: int
    total: int
    events: int
    resumed: bool = False
