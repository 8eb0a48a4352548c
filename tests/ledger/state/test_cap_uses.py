"""Uses of the cap in blocks: the room they leave is that of one plain list, at a flat cost."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.calculations.figures import CapRoom
from ledger.calculations.refund_cap import cap_room
from ledger.state import MemoryState
from ledger.state.account_entities import CapBlock, CapEntry, CapGroup, CapUses
from ledger.state.cap_uses import FULL, counted, given_back, next_block
from ledger.state.reading import E
from ledger.terms.table import CapBasis, Terms, released_terms
from ledger.values.instants import DAY, Instant
from tests.scenario import with_terms

YEAR = 365 * DAY
USES = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 31, 32, 33, 100, 1_025]),  # how many alike
        st.sampled_from([0, 0, 1, DAY, 100 * DAY]),  # after how long
        st.sampled_from([0, 1, 500]),  # as a refund
        st.sampled_from([0, 1, 500]),  # as commitment
    ),
    max_size=6,
)


@settings(derandomize=True, deadline=None)
@given(
    uses=USES,
    corrected=st.sets(st.integers(0, 1_500), max_size=100),
    age=st.sampled_from([0, 1, 99 * DAY, YEAR - 1, YEAR, YEAR + 1, YEAR + 100 * DAY]),
    basis=st.sampled_from(list(CapBasis)),
)
def test_the_room_is_that_of_one_plain_list(
    uses: list[tuple[int, Instant, int, int]], corrected: set[int], age: Instant, basis: CapBasis
) -> None:
    state, entries, blocks = _used(uses)
    for number in sorted(corrected & set(range(len(entries)))):
        state.apply(given_back(state, "acct-1", f"f-{number}", blocks[number]))
    left = [one for number, one in enumerate(entries) if number not in corrected]
    terms = with_terms(released_terms(), cap_basis=basis).at(0)
    first = left[0].counted_at if left else 0
    for now in (first + age, first + age + 100 * DAY):
        assert cap_room(state, "acct-1", now, terms) == _naive(left, now, terms)


def test_all_given_at_once_are_as_if_given_one_by_one() -> None:
    one_by_one, entries, _ = _used([(130, 1, 1, 2)])
    for size in (0, 1, 31, 32, 33):
        at_once = MemoryState()
        at_once.apply(counted(at_once, "acct-1", entries[:size]))
        at_once.apply(counted(at_once, "acct-1", entries[size:]))
        assert at_once.entities() == one_by_one.entities()


def test_one_more_use_rewrites_one_block_and_a_judgement_opens_one() -> None:
    state, entries, _ = _used([(2 * FULL**3 + 5, 1, 1, 1)])
    changes = [entity for _, entity in counted(state, "acct-1", entries[-1:])]
    assert [type(entity) for entity in changes] == [CapBlock, CapUses]
    opened = _Counting()
    opened.apply(state.entities().items())
    cap_room(opened, "acct-1", entries[5_000].counted_at + YEAR, released_terms().at(0))
    assert opened.read == {CapUses: 1, CapGroup: 2, CapBlock: 1}


def test_a_block_in_which_nothing_counts_any_more_is_not_opened() -> None:
    state, entries, blocks = _used([(2 * FULL**2 + 5, 1, 1, 1)])
    for number in range(FULL**2, FULL**2 + FULL):
        state.apply(given_back(state, "acct-1", f"f-{number}", blocks[number]))
    opened = _Counting()
    opened.apply(state.entities().items())
    room = cap_room(opened, "acct-1", entries[-1].counted_at, released_terms().at(0))
    assert room.consumed == len(entries) - FULL
    assert opened.read == {CapUses: 1, CapGroup: 1, CapBlock: 1}


def test_no_entity_grows_with_the_uses() -> None:
    state, _, _ = _used([(3 * FULL**3 + 2 * FULL**2 + 7, 1, 1, 1)])
    for entity in state.entities().values():
        match entity:
            case CapBlock(entries=parts) | CapGroup(sums=parts):
                assert len(parts) <= FULL
            case CapUses(levels=levels):
                assert [len(level) for level in levels] == [1, 2, 3]


class _Counting(MemoryState):
    """Counts the entities that are read, by kind."""

    def __init__(self) -> None:
        super().__init__()
        self.read: Counter[type[object]] = Counter()

    def find(self, kind: type[E], account_id: str, entity_id: str) -> E | None:
        self.read[kind] += 1
        return super().find(kind, account_id, entity_id)


def _used(
    uses: list[tuple[int, Instant, int, int]],
) -> tuple[MemoryState, list[CapEntry], list[int]]:
    """The state, all entries in order, and where each is kept."""
    state, now = MemoryState(), 0
    entries: list[CapEntry] = []
    blocks: list[int] = []
    for times, wait, refund, commitment in uses:
        for _ in range(times):
            now += wait
            entry = CapEntry(
                refund_id=f"f-{len(entries)}",
                counted_at=now,
                refund_usd=refund,
                cancelled_commitment_usd=commitment,
            )
            blocks.append(next_block(state, "acct-1"))
            entries.append(entry)
            state.apply(counted(state, "acct-1", [entry]))
    return state, entries, blocks


def _naive(entries: list[CapEntry], now: Instant, terms: Terms) -> CapRoom:
    amounts = [
        (
            one.counted_at,
            one.refund_usd if terms.cap_basis is CapBasis.REFUND else one.cancelled_commitment_usd,
        )
        for one in entries
    ]
    counting = [(at, amount) for at, amount in amounts if now - at < YEAR and amount]
    oldest = min((at for at, _ in counting), default=None)
    consumed = sum(amount for _, amount in counting)
    return CapRoom(
        consumed=consumed,
        limit=terms.cap_usd,
        left=max(0, terms.cap_usd - consumed),
        next_release_at=None if oldest is None else oldest + YEAR,
        next_release=sum(amount for at, amount in counting if at == oldest),
    )
