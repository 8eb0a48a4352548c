"""The properties find what they are there for: each fault of documents once seen, planted again."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from ledger.state import invoices
from ledger.state.invoice_contents import Contents, carried
from ledger.terms.table import released_terms
from tests.properties.proposals import proposed, stocked
from tests.properties.test_any_sequence import WAITS
from tests.properties.world import CARD, CSP, World
from tests.scenario import with_terms

STORIES = 200
STEPS = 60


def lived(seed: int) -> None:
    """A story drawn from a seed; AssertionError where an invariant does not hold."""
    chance = random.Random(seed)
    terms = with_terms(released_terms(), cap_usd=40_000_000)
    focus = CSP if seed % 2 else CARD
    w = World(terms, {"online": "CNY", "ea": "EUR", "csp": "USD", "card": "USD"})
    stocked(w, focus)
    for _ in range(STEPS):
        w.s.later(chance.choice(WAITS)).account = focus
        act = proposed(focus, chance.randrange(64))
        act(w, chance.randrange(64), chance.randrange(64), chance.randrange(1, 500))
    w.recounted()


def lived_through(stories: int) -> None:
    """So many, each from a seed of its own."""
    for seed in range(stories):
        lived(seed)


def last_purchase_alone(patch: pytest.MonkeyPatch) -> None:
    """Of several purchases of one exchange on one invoice the last overwrites the others."""
    right = invoices.purchased

    def wrong(state: object, meta: object, purchases: object) -> object:
        found = list(purchases)  # type: ignore[call-overload]  # as it is called
        by_invoice = {each.invoice_id: each for each in found}
        return right(state, meta, by_invoice.values())  # type: ignore[arg-type]

    patch.setattr("ledger.state.reservations.invoices.purchased", wrong)


def others_forgotten(patch: pytest.MonkeyPatch) -> None:
    """What else stood on a cancelled invoice stands on none any more."""
    right = invoices.contents_after

    def wrong(state: object, account_id: str, refund_id: str) -> Contents:
        found = right(state, account_id, refund_id)  # type: ignore[arg-type]
        return tuple(each for each in found if not each.carried)

    patch.setattr("ledger.decide.invoices.contents_after", wrong)


def value_shown_for_ever(patch: pytest.MonkeyPatch) -> None:
    """The value of a leg is shown although what it paid for was given back."""
    patch.setattr(
        "ledger.decide.invoices.refunded_of",
        lambda contents: sum(each.refunded + each.netted for each in contents),
    )


def refund_forgotten(patch: pytest.MonkeyPatch) -> None:
    """A purchase that is carried loses the refunds it showed."""
    right = carried

    def wrong(contents: Contents, but: tuple[str, ...] = ()) -> Contents:
        return tuple(
            replace(each, refunded=0) if each.carried else each for each in right(contents, but)
        )

    patch.setattr("ledger.state.invoices.carried", wrong)


PLANTED: tuple[Callable[[pytest.MonkeyPatch], None], ...] = (
    last_purchase_alone,
    others_forgotten,
    value_shown_for_ever,
    refund_forgotten,
)


def test_without_a_fault_every_story_holds() -> None:
    lived_through(STORIES // 4)


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        lived_through(STORIES)
