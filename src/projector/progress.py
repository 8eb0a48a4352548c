"""What a long piece of work on the log says about how far it has come."""

from __future__ import annotations

from msgspec import Struct


class Progress(Struct, frozen=True, kw_only=True):
    """`done` and `total` are offsets over all partitions, the latter where the projector stands;
    `events` were read by this run, which may have `resumed` what an earlier one began.
    """

    done: int
    total: int
    events: int
    resumed: bool = False
