"""Entities of a snapshot come into the file that began from it when they are first needed.

What the file does not have did not change since it began. So it is the same in every later state of
the snapshot, as long as this process alone writes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from consumers.deciding.files import StateFile
from consumers.deciding.snapshots.seam import Claim, Snapshots

AT_ONCE = 50
"""Accounts in one query."""
MOST_ENTITIES = 2_000
"""A larger account is brought entity by entity."""
_REMEMBERED = 100_000


class Borrowing:
    """Brings entities of the snapshot of `claim` into a partial file."""

    def __init__(self, file: StateFile, snapshots: Snapshots, claim: Claim) -> None:
        self._file = file
        self._snapshots = snapshots
        self._claim = claim
        self._whole: set[str] = set()
        self._large: set[str] = set()

    def accounts(self, account_ids: Iterable[str]) -> None:
        """Have these accounts here, except the entities of large ones."""
        missing = [each for each in account_ids if not self._is_here(each)]
        for first in range(0, len(missing), AT_ONCE):
            some = missing[first : first + AT_ONCE]
            found = self._snapshots.accounts(self._claim, some, MOST_ENTITIES + 1)
            count = Counter(row[0] for row in found)
            large = {each for each in some if count[each] > MOST_ENTITIES}
            whole = [each for each in some if each not in large]
            self._file.add((row for row in found if row[0] not in large), whole)
            self._large |= large
            self._remember(whole)

    def find(self, account_id: str, kind: str, entity_id: str) -> bytes | None:
        """The value of an entity, from here or from the snapshot."""
        self.accounts([account_id])
        found = self._file.find(account_id, kind, entity_id)
        if found is not None or account_id not in self._large:
            return found
        row = self._snapshots.entity(self._claim, account_id, kind, entity_id)
        if row is None:
            return None
        self._file.add([row], [])
        return row[3]

    def _is_here(self, account_id: str) -> bool:
        if account_id in self._whole or account_id in self._large:
            return True
        if self._file.has_whole(account_id):
            self._remember([account_id])
            return True
        return False

    def _remember(self, account_ids: Iterable[str]) -> None:
        if len(self._whole) > _REMEMBERED:
            self._whole.clear()
        self._whole.update(account_ids)
