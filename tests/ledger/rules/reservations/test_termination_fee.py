"""Termination fee: reserved, not charged; half up on the prorated refund where the terms say so."""

from __future__ import annotations

from fractions import Fraction

from ledger.calculations.termination_fee import termination_fee
from ledger.postings import refund_issued
from ledger.terms.table import released_terms
from ledger.vocabulary.shapes import Role
from tests.ledger.rules.reservations.stories import (
    back,
    bought,
    by_support,
    exchange,
    exchanged,
    holding,
    new,
    the_refund,
)
from tests.scenario import with_terms


def test_it_is_not_charged_today() -> None:
    assert the_refund(by_support(holding())).fee == 0


def test_at_twelve_percent_the_net_amount_counts_against_the_cap() -> None:
    terms = with_terms(released_terms(), termination_fee=Fraction(12, 100))
    refund = the_refund(by_support(holding(bought(5_004), terms=terms)))
    assert (refund.gross, refund.fee, refund.amount) == (5_004, 600, 4_404)
    assert refund.cap is not None
    assert refund.cap.refund_usd == 4_404
    assert refund.postings == refund_issued(5_004, 600)


def test_an_exchange_never_pays_it() -> None:
    terms = with_terms(released_terms(), termination_fee=Fraction(12, 100))
    s = holding(bought(5_004), terms=terms)
    s.when(exchange((back(),), (new(6_000),)), role=Role.SUPPORT)
    assert exchanged(s).returned_total == 5_004


def test_it_is_rounded_half_up() -> None:
    assert termination_fee(4, Fraction(1, 8)) == 1
    assert termination_fee(3, Fraction(1, 8)) == 0
