"""The group coordinator: members, generations, and who holds which partition."""

from __future__ import annotations

from random import Random

from msgspec import Struct, field

from ledger.log.seam import MemberReplaced
from tests.simulation.scheduler import Process


class Member(Struct, kw_only=True, eq=False):
    """One life of a member: what it held when it last asked, and what it has lost since."""

    process: Process
    generation: int = 0
    held: frozenset[int] = frozenset()
    lost: set[int] = field(default_factory=set)


class Group:
    """A consumer group with static members, which shares its partitions out anew at every turn.

    A partition goes to its new holder at once, though the old one may not know yet: harsher than
    the brokers are, who ask the old one first while it still answers. Once it is `gentle`, members
    keep what they have as far as they can, and nobody is refused for a round it has not heard of.
    """

    def __init__(self, name: str, partition_count: int, chance: Random) -> None:
        self.name = name
        self.generation = 0
        self.rebalances = 0
        self.gentle = False
        self.members: dict[str, Member] = {}
        self._partition_count = partition_count
        self._chance = chance
        self._shares: dict[str, frozenset[int]] = {}

    def join(self, process: Process) -> Member:
        """Join under the name of the slot. A namesake is replaced and its share taken over."""
        name = process.slot
        member = Member(process=process)
        known = name in self.members
        self.members[name] = member
        if not known:
            self.rebalance()
        return member

    def sync(self, member: Member) -> tuple[frozenset[int], frozenset[int]]:
        """What the member holds throughout, and what it has lost meanwhile."""
        name = member.process.slot
        standing = self.members.get(name)
        if standing is None:  # its session is over: it has lost all, and joins again
            lost = member.held | member.lost
            self.members[name] = member
            self.rebalance()
        elif standing is not member:
            raise MemberReplaced(f"group {self.name}: member {name} was replaced")
        else:
            lost = frozenset(member.lost)
        member.held = self._shares[name]
        member.generation = self.generation
        member.lost.clear()
        return member.held - lost, lost

    def is_current(self, member: Member, generation: int) -> bool:
        """May this member commit offsets? By this the coordinator refuses a stale one."""
        known = self.members.get(member.process.slot) is member
        return known and (self.gentle or generation == self.generation)

    def leave(self, member: Member) -> None:
        """Its partitions go to the others."""
        if self.members.get(member.process.slot) is member:
            del self.members[member.process.slot]
            self.rebalance()

    def expire(self, tick: int, session_ticks: int) -> None:
        """Turn out whoever has not been heard of for a session."""
        for name, member in list(self.members.items()):
            if tick - member.process.last_ran > session_ticks:
                del self.members[name]
                member.lost |= member.held
                self.rebalance()

    def rebalance(self) -> None:
        """A new generation and a new share for everyone."""
        self.rebalances += 1
        self.generation += 1
        shares = self._kept_shares() if self.gentle else self._shuffled_shares()
        for name, share in shares.items():
            self.members[name].lost |= self._shares.get(name, frozenset()) - share
        self._shares = shares

    def _shuffled_shares(self) -> dict[str, frozenset[int]]:
        names = sorted(self.members)
        self._chance.shuffle(names)
        count = len(names)
        return {
            name: frozenset(range(place, self._partition_count, count))
            for place, name in enumerate(names)
        }

    def _kept_shares(self) -> dict[str, frozenset[int]]:
        names = sorted(self.members)
        if not names:
            return {}
        most = -(-self._partition_count // len(names))
        shares = {name: set(sorted(self._shares.get(name, frozenset()))[:most]) for name in names}
        held: set[int] = set().union(*shares.values())
        for partition in sorted(set(range(self._partition_count)) - held):
            min(shares.values(), key=len).add(partition)
        return {name: frozenset(share) for name, share in shares.items()}
