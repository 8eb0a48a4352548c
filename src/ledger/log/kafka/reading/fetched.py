"""The records of one partition that a poll has returned and that have not been read yet.

A poll returns everything that was fetched (`max_poll_records`). kafka-python 3.0.12 must not keep
a part of a fetch, for two reasons, both in its `Fetcher`:

- `fetched_records` moves the part of a paused partition to `_paused_partition_records`. After the
  partition is resumed it takes the part back only if `_next_partition_records` is None. After a
  fetch that was returned completely it is an empty object, not None. And a partition with such a
  part is not fetched (`_fetchable_partitions`). So when the other partitions have been read to
  their ends, this partition stops for ever.
  - `_fetchable_partitions` leaves out the partition of which a part is being returned. When the
    next fetch is sent, this is the last partition of the fetch before. So the others are fetched
    twice while it is fetched once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from ledger.log.kafka.client.records import log_record
from ledger.log.seam import Batch


class Fetched:
    """The records from `position` on, in order."""

    __slots__ = ("_records", "position")

    def __init__(self, position: int) -> None:
        self.position = position
        self._records: deque[Any] = deque()

    def __len__(self) -> int:
        return len(self._records)

    def add(self, records: Iterable[Any]) -> None:
        """Store the records that a poll has returned."""
        self._records.extend(records)

    def take(self, max_records: int, client_position: int) -> Batch:
        """Up to `max_records`. `client_position` is after all records that were added, and after
        all that the client skips, such as transaction markers; -1 if it is not known.
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
