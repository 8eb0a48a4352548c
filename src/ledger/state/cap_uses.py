"""How the cap is used: in blocks and groups of blocks, so that one more use costs the same however
many there were.

Blocks hold single uses. The sum of a block stands in `CapUses`, on level 0. A level that is full
becomes a group, and the group's sum stands on the next level. So `CapUses` has at most 32 sums for
each power of 32 in the number of uses: 100,000 uses have 3 levels of sums.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ledger.state.account_entities import CapBlock, CapEntry, CapGroup, CapSum, CapUses
from ledger.state.reading import Change, Key, State, existing

FULL = 32
"""So many uses are in a full block, and so many sums in a full group."""
_Levels = list[list[CapSum]]


class Part(NamedTuple):
    """A use, or some that follow on each other, added up: a block (level 0) or a group. `number`
    counts the parts of a level from the oldest.
    """

    use: CapEntry | CapSum
    level: int
    number: int


def next_block(state: State, account_id: str) -> int:
    """The number of the block for the account's next use."""
    last = max(0, _count(_levels(state, account_id), 0) - 1)
    return last + 1 if len(_entries(state, account_id, last)) == FULL else last


def counted(state: State, account_id: str, more: Sequence[CapEntry]) -> list[Change]:
    """These count too; none of them is older than those before. A block that is full stays so."""
    levels, number = _levels(state, account_id), next_block(state, account_id)
    entries, changes = (*_entries(state, account_id, number), *more), []
    if number < _count(levels, 0):
        levels[0].pop()
    for start in range(0, len(entries), FULL):
        block = CapBlock(entries=entries[start : start + FULL])
        changes.append(_block(account_id, number, block))
        changes += _added(levels, 0, _sum(block.entries), account_id)
        number += 1
    return [*changes, _uses(account_id, levels)]


def given_back(state: State, account_id: str, refund_id: str, number: int) -> list[Change]:
    """The use of this refund, in the block of this number, no longer counts."""
    entries = _entries(state, account_id, number)
    left = CapBlock(entries=tuple(one for one in entries if one.refund_id != refund_id))
    changes = [_block(account_id, number, left)]
    levels, level, changed = _levels(state, account_id), 0, _sum(left.entries)
    while number < (first := _count(levels, level) - len(levels[level])):
        group = existing(state, CapGroup, account_id, _name(level + 1, number // FULL))
        sums = list(group.sums)
        sums[number % FULL] = changed
        level, number, changed = level + 1, number // FULL, _sum(sums)
        changes.append(_group(account_id, level, number, sums))
    levels[level][number - first] = changed
    return [*changes, _uses(account_id, levels)]


def all_parts(state: State, account_id: str) -> Iterator[Part]:
    """All uses of an account, oldest first, in the largest parts."""
    levels = _levels(state, account_id)
    for level in range(len(levels) - 1, -1, -1):
        first = _count(levels, level) - len(levels[level])
        for number, one in enumerate(levels[level], start=first):
            yield Part(one, level, number)


def parts_of(state: State, account_id: str, part: Part) -> list[Part]:
    """What a block or group adds up, oldest first."""
    if part.level == 0:
        entries = _entries(state, account_id, part.number)
        return [Part(one, -1, number) for number, one in enumerate(entries)]
    group = existing(state, CapGroup, account_id, _name(part.level, part.number))
    below = enumerate(group.sums, start=part.number * FULL)
    return [Part(one, part.level - 1, number) for number, one in below]


def _added(levels: _Levels, level: int, more: CapSum, account_id: str) -> list[Change]:
    """The sum on its level; if the level is full, its sums first become a group."""
    changes: list[Change] = []
    if len(levels[level]) == FULL:
        sums, levels[level] = levels[level], []
        if level + 1 == len(levels):
            levels.append([])
        changes.append(_group(account_id, level + 1, _count(levels, level + 1), sums))
        changes += _added(levels, level + 1, _sum(sums), account_id)
    levels[level].append(more)
    return changes


def _levels(state: State, account_id: str) -> _Levels:
    uses = state.find(CapUses, account_id, "") or CapUses()
    return [list(level) for level in uses.levels] or [[]]


def _count(levels: _Levels, level: int) -> int:
    """How many parts of a level there are, in groups or not."""
    return sum(len(sums) * FULL**above for above, sums in enumerate(levels[level:]))


def _entries(state: State, account_id: str, number: int) -> tuple[CapEntry, ...]:
    block = state.find(CapBlock, account_id, str(number))
    return () if block is None else block.entries


def _sum(parts: Iterable[CapEntry | CapSum]) -> CapSum:
    """Parts in which nothing counts have no instant."""
    counting = [one for one in parts if one.refund_usd or one.cancelled_commitment_usd]
    lasts = (one.last_at if isinstance(one, CapSum) else one.counted_at for one in counting)
    return CapSum(
        counted_at=min((one.counted_at for one in counting), default=0),
        last_at=max(lasts, default=0),
        refund_usd=sum(one.refund_usd for one in counting),
        cancelled_commitment_usd=sum(one.cancelled_commitment_usd for one in counting),
    )


def _name(level: int, number: int) -> str:
    return f"{level}:{number}"


def _block(account_id: str, number: int, block: CapBlock) -> Change:
    return Key(CapBlock, account_id, str(number)), block


def _group(account_id: str, level: int, number: int, sums: Sequence[CapSum]) -> Change:
    return Key(CapGroup, account_id, _name(level, number)), CapGroup(sums=tuple(sums))


def _uses(account_id: str, levels: _Levels) -> Change:
    return Key(CapUses, account_id, ""), CapUses(levels=tuple(map(tuple, levels)))
