"""How the cap is used: in blocks, so that one more use costs the same however many there were."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.state.cap_entities import CapBlock, CapEntry, CapSum, CapUses
from ledger.state.reading import Change, Key, State, existing

_ENTRIES_OF_A_BLOCK = 64


def next_block(state: State, account_id: str) -> int:
    """The number of the block for the account's next use."""
    last = max(0, len(_uses(state, account_id).blocks) - 1)
    full = len(_entries(state, account_id, last)) == _ENTRIES_OF_A_BLOCK
    return last + 1 if full else last


def counted(state: State, account_id: str, more: Sequence[CapEntry]) -> list[Change]:
    """These count too; none of them is older than those before. A block that is full stays so."""
    number, changes = next_block(state, account_id), []
    entries = (*_entries(state, account_id, number), *more)
    sums = list(_uses(state, account_id).blocks[:number])
    for start in range(0, len(entries), _ENTRIES_OF_A_BLOCK):
        block = CapBlock(entries=entries[start : start + _ENTRIES_OF_A_BLOCK])
        changes.append(_kept(account_id, len(sums), block))
        sums.append(_sum(block))
    return [*changes, (Key(CapUses, account_id, ""), CapUses(blocks=tuple(sums)))]


def given_back(state: State, account_id: str, refund_id: str, number: int) -> list[Change]:
    """The use of this refund no longer counts."""
    entries = _entries(state, account_id, number)
    left = CapBlock(entries=tuple(one for one in entries if one.refund_id != refund_id))
    sums = existing(state, CapUses, account_id, "").blocks
    uses = CapUses(blocks=(*sums[:number], _sum(left), *sums[number + 1 :]))
    return [_kept(account_id, number, left), (Key(CapUses, account_id, ""), uses)]


def _kept(account_id: str, number: int, block: CapBlock) -> Change:
    return Key(CapBlock, account_id, str(number)), block


def _uses(state: State, account_id: str) -> CapUses:
    return state.find(CapUses, account_id, "") or CapUses()


def _entries(state: State, account_id: str, number: int) -> tuple[CapEntry, ...]:
    block = state.find(CapBlock, account_id, str(number))
    return () if block is None else block.entries


def _sum(block: CapBlock) -> CapSum:
    instants = [one.counted_at for one in block.entries]
    return CapSum(
        counted_at=min(instants, default=0),
        last_at=max(instants, default=0),
        refund_usd=sum(one.refund_usd for one in block.entries),
        cancelled_commitment_usd=sum(one.cancelled_commitment_usd for one in block.entries),
    )
