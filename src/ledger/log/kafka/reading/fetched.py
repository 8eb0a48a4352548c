"""What a client has handed out of one partition and nobody has read yet.

A poll takes all that the client has fetched (`max_poll_records`). kafka-python 3.0.12 must not be
left with a part of a fetch, for two reasons, both in its `Fetcher`:

- `fetched_records` puts the part of a paused partition aside, and once the partition is resumed
  gives it back only where `_next_partition_records` is None. After a fetch that was handed out to
  its end that is an empty object, not None, until another partition is paused in the middle of
  a fetch. What has a part aside is not fetched either (`_fetchable_partitions`): once the other
  partitions are read to their ends, it stands still for good.
- `_fetchable_partitions` leaves out the partition whose part is being handed out. It is the last
  of its fetch when the next one is sent, so that others are fetched twice while it is once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from ledger.log.kafka.client.records import log_record
from ledger.log.seam import Batch


class Fetched:
    """The records from `position` on, where reading goes on."""

    __slots__ = ("_records", "position")

    def __init__(self, position: int) -> None:
        self.position = position
        self._records: deque[Any] = deque()

    def __len__(self) -> int:
        return len(self._records)

    def add(self, records: Iterable[Any]) -> None:
        """What a poll has brought."""
        self._records.extend(records)

    def take(self, max_records: int, client_position: int) -> Batch:
        """Up to `max_records`. `client_position` is behind all that was added, and behind what is
        passed over there, such as the ends of transactions; -1 if it is not known.
        """
        count = min(max_records, len(self._records))
        records = tuple(log_record(self._records.popleft()) for _ in range(count))
        if self._records:
            self.position = self._records[0].offset
        elif client_position >= 0:
            self.position = max(self.position, client_position)
        elif records:
            self.position = records[-1].offset + 1
        return Batch(records=records, next_position=self.position)
