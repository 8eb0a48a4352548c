"""The properties find what they are there for: each fault, planted."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from ledger import policies, postings
from ledger.decide import gateway_answers
from ledger.policies.case import Case
from ledger.state import card_attempts, invoices
from ledger.state.entities import Refund, Reservation
from ledger.state.invoice_contents import Contents, bought, carried
from ledger.terms.table import released_terms
from ledger.vocabulary.commands import Command, FailCardRefund
from ledger.vocabulary.shapes import InvoicedPurchase
from tests.properties.proposals import proposed, stocked
from tests.properties.test_any_sequence import WAITS
from tests.properties.world import CARD, CSP, World
from tests.scenario import with_terms

STORIES = 400
STEPS = 60


def lived(seed: int) -> None:
    """A story drawn from a seed; AssertionError where an invariant does not hold."""
    chance = random.Random(seed)
    terms = with_terms(released_terms(), cap_usd=40_000_000)
    focus = CSP if seed % 2 else CARD
    w = World(terms, {"online": "CNY", "ea": "EUR", "csp": "USD", "card": "USD"})
    apart = random.Random(-seed)
    stocked(w, focus, (apart.randrange(64), apart.randrange(64), apart.randrange(500)))
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


def payment_booked_twice(patch: pytest.MonkeyPatch) -> None:
    """A reference told for another attempt is taken for another payment."""
    patch.setattr("ledger.decide.gateway_answers.references_paid", lambda _: frozenset())


def second_payment_only_recorded(patch: pytest.MonkeyPatch) -> None:
    """What is paid a second time stands nowhere in the books."""
    patch.setattr(
        "ledger.decide.gateway_answers.references_paid",
        lambda _: frozenset(f"g-{number}" for number in range(8)) | {"late"},
    )


def transit_left_standing(patch: pytest.MonkeyPatch) -> None:
    """The payment of an earlier attempt is taken from what is owed, whatever is in the transit."""
    patch.setattr("ledger.postings.card_refund_confirmed", postings.card_refund_confirmed_after_all)


def any_failure_holds(patch: pytest.MonkeyPatch) -> None:
    """A failure of an earlier attempt is taken for one of what is under way."""
    right = gateway_answers.failed

    def wrong(case: Case, command: FailCardRefund) -> object:
        return right(case, replace(command, attempt=None))

    patch.setattr(gateway_answers, "failed", wrong)


def corrected_under_way(patch: pytest.MonkeyPatch) -> None:
    """A settled refund is corrected although a second attempt is under way."""
    patch.setattr("ledger.policies.corrections.under_way", lambda _: None)


def judged_as_the_last(patch: pytest.MonkeyPatch) -> None:
    """An answer of an earlier attempt is refused as if it were one of the last."""
    right = card_attempts.number_of

    def wrong(refund: Refund, _: int | None) -> int:
        return right(refund, None)

    patch.setattr("ledger.policies.two_answers_of_a_gateway.number_of", wrong)


def brought_along_twice(patch: pytest.MonkeyPatch) -> None:
    """A second one is taken, and adds its money to that of the first."""
    patch.setattr("ledger.policies._concerned", _without("wrong_opening_state", "already_exists"))


def used_cap_forgotten(patch: pytest.MonkeyPatch) -> None:
    """What was refunded before the ledger was adopted counts for nothing."""
    patch.setattr("ledger.state.accounts.cap_uses.counted", lambda *_: [])


def went_back_before_forgotten(patch: pytest.MonkeyPatch) -> None:
    """What went back before does not stand on the invoice in place of the first one."""
    right = bought

    def wrong(reservation_id: str, reservation: Reservation) -> InvoicedPurchase:
        return replace(right(reservation_id, reservation), refunded=0)

    patch.setattr("ledger.state.invoices.bought", wrong)


def _without(*names: str) -> Callable[[type[Command]], object]:
    """The policies that look at a command, but for those of these names."""
    right = policies._concerned

    def wrong(command: type[Command]) -> object:
        return tuple(
            tuple(policy for policy in found if getattr(policy, "__name__", "") not in names)
            for found in right(command)
        )

    return wrong


PLANTED: tuple[Callable[[pytest.MonkeyPatch], None], ...] = (
    last_purchase_alone,
    others_forgotten,
    value_shown_for_ever,
    refund_forgotten,
    payment_booked_twice,
    second_payment_only_recorded,
    transit_left_standing,
    any_failure_holds,
    corrected_under_way,
    judged_as_the_last,
    brought_along_twice,
    used_cap_forgotten,
    went_back_before_forgotten,
)


def test_without_a_fault_every_story_holds() -> None:
    lived_through(STORIES // 8)


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        lived_through(STORIES)
