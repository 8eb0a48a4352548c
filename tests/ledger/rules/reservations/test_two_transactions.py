"""Two transactions: an exchange is a cancellation and a purchase, together in one event."""

from __future__ import annotations

from msgspec.structs import replace

from ledger.state.entities import Refund, RefundStatus, ReservationStatus
from ledger.values.instants import parse_day
from ledger.values.refusal import Code
from ledger.vocabulary.events import ReservationExchanged
from ledger.vocabulary.shapes import (
    Parts,
    Posting,
    PurchasedLeg,
    RefundSource,
    Role,
    Side,
    SourceKind,
)
from ledger.vocabulary.shapes import ReturnedLeg as Leg
from tests.ledger.rules.reservations.stories import (
    MONTHLY,
    back,
    bought,
    exchange,
    exchange_quoted,
    exchanged,
    holding,
    names,
    new,
    quote_exchange,
    refund_entity,
    the_reservation,
)


def posting(transaction: int, account: str, side: Side, amount: int) -> Posting:
    return Posting(transaction=transaction, account=account, side=side, amount=amount)


def test_19_800_with_3_960_left_for_19_800_nets_to_15_840() -> None:
    s = holding(bought(1_980_000)).at("2026-10-24T09:00:00Z")
    returns, purchases = (back(),), (new(1_980_000),)
    found = exchange_quoted(s.when(quote_exchange(returns, purchases)))
    quote_id = found.quote_id
    s.when(exchange(returns, purchases, quote_id=quote_id, payable=1_584_000)).then(
        ReservationExchanged(
            returned=(
                Leg(
                    reservation_id="r-1",
                    quantity=1,
                    quantity_left=0,
                    instalment=1,
                    value=396_000,
                    refund_id=s.derived("refund"),
                ),
            ),
            purchased=(
                PurchasedLeg(
                    reservation_id="r-9",
                    total=1_980_000,
                    starts_on=parse_day("2026-10-24"),
                    ends_on=parse_day("2027-10-24"),
                ),
            ),
            bought=purchases,
            owners=("u-1",),
            returned_total=396_000,
            purchased_total=1_980_000,
            payable=1_584_000,
            remaining_commitment=396_000,
            quote_id=quote_id,
            working=found.working,
            postings=(
                posting(1, "refunds", Side.DEBIT, 396_000),
                posting(1, "refund_payable", Side.CREDIT, 396_000),
                posting(2, "receivable", Side.DEBIT, 1_980_000),
                posting(2, "sales", Side.CREDIT, 1_980_000),
            ),
            currency="USD",
        )
    )
    assert s.folded().entities() == s.state.entities()


def test_the_old_one_is_exchanged_and_the_new_term_starts_at_the_exchange() -> None:
    s = holding(bought(owners=("u-1", "u-2")), bought(36_500, "r-2", owners=("u-3", "u-1")))
    s.at("2026-02-28T23:59:59Z")
    s.when(
        exchange((back("r-1"), back("r-2")), (new(80_000, months=36, plan=MONTHLY),)),
        role=Role.SUPPORT,
    )
    assert the_reservation(s, "r-1").status is ReservationStatus.EXCHANGED
    born = the_reservation(s, "r-9")
    assert born.owners == ("u-1", "u-2", "u-3")
    assert (born.starts_on, born.ends_on) == (parse_day("2026-02-28"), parse_day("2029-02-28"))
    assert (born.quantity, born.original_quantity, born.purchased_at) == (2, 2, s.now)


def test_part_of_the_quantity_may_be_exchanged_and_the_rest_stays() -> None:
    s = holding(bought(30_000, quantity=3))
    s.when(exchange((back("r-1", 1),), (new(10_000),)), role=Role.SUPPORT)
    kept = the_reservation(s)
    assert (kept.status, kept.quantity, kept.refunded) == (ReservationStatus.ACTIVE, 2, 10_000)


def test_each_returned_leg_is_a_refund_of_its_own() -> None:
    s = holding(bought(10_000), bought(20_000, "r-2"))
    s.when(exchange((back("r-1"), back("r-2")), (new(30_000),)), role=Role.SUPPORT)
    first, second = exchanged(s).returned
    assert first.refund_id != second.refund_id
    assert refund_entity(s, second.refund_id) == Refund(
        source=RefundSource(kind=SourceKind.RESERVATION, id="r-2"),
        rule=None,
        gross=20_000,
        fee=0,
        amount=20_000,
        parts=Parts(original=20_000),
        status=RefundStatus.ISSUED,
        postings=(
            posting(1, "refunds", Side.DEBIT, 20_000),
            posting(1, "refund_payable", Side.CREDIT, 20_000),
        ),
        instalment=1,
        exchange_id=s.recorded[-1].meta.event_id,
    )


def test_a_leg_worth_nothing_is_settled_at_once() -> None:
    s = holding(bought(1)).at("2026-12-01T00:00:00Z")
    s.when(exchange((back(),), (new(40_000),)), role=Role.SUPPORT)
    assert names(s) == ["ReservationExchanged", "RefundSettled"]
    refund_id = exchanged(s).returned[0].refund_id
    assert refund_entity(s, refund_id).status is RefundStatus.SETTLED


def test_a_redelivery_stays_quiet() -> None:
    s = holding()
    command = exchange((back(),), (new(40_000),))
    s.give(command, role=Role.SUPPORT, id="c-1")
    s.when(command, role=Role.SUPPORT, id="c-1").then()
    other = replace(command, purchases=(new(50_000),))
    s.when(other, role=Role.SUPPORT, id="c-1").refused(Code.COMMAND_ID_REUSED)
