"""The finance views say of a ledger what the rules' own state and calculations say of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace
from psycopg import Connection, sql

from ledger.calculations.partial_quantity import reservation_return
from ledger.state.entities import Reservation
from ledger.terms.table import CapBasis, released_terms
from ledger.values.instants import (
    DAY,
    Day,
    as_date,
    as_datetime,
    parse_day,
    parse_instant,
    start_of_day,
)
from ledger.vocabulary.commands import (
    ConfirmCardRefund,
    DeclineMarketplaceRefund,
    WithdrawMarketplaceRefund,
)
from ledger.vocabulary.shapes import InvoiceState, Payment, PaymentMethod
from tests.bodies import paid, returning
from tests.ledger.rules.instances import acts
from tests.ledger.rules.marketplace import stories as marketplace
from tests.ledger.rules.reservations.stories import MONTHLY, bought, holding
from tests.ledger.rules.settlement.stories import correct, given_back, traded
from tests.projector.mixed import mixed
from tests.projector.shown import of_account, show
from tests.projector.views.test_settlement_flows import (
    by_credit_memo,
    by_invoice,
    confirmed,
    failed,
    only_refund,
    paid_twice,
    paid_twice_and_corrected,
    second_failed,
    to_the_commitment,
)
from tests.scenario import Scenario, with_terms

ON_NOTHING = Payment(method=PaymentMethod.INVOICE)


@pytest.fixture
def connection(migrated: str) -> Iterator[Connection[Any]]:
    with psycopg.connect(migrated, autocommit=True) as opened:
        yield opened


def rows(connection: Connection[Any], view: str, *columns: str) -> list[tuple[Any, ...]]:
    wanted = sql.SQL(", ").join(map(sql.Identifier, columns))
    return connection.execute(
        sql.SQL("SELECT {} FROM {} ORDER BY {}").format(
            wanted, sql.Identifier("finance", view), wanted
        )
    ).fetchall()


def partly_returned() -> Scenario:
    """Reservations of both plans, parts given back, refunds corrected, one exchanged. Of the two
    cents the half given back first is a whole one: the other is worth what is left of it.
    """
    went_back = bought(100, "v-before", quantity=3, starts_on="2026-01-31", payment=ON_NOTHING)
    monthly = bought(
        3_600_001,
        "v-before-monthly",
        quantity=7,
        months=36,
        starts_on="2024-01-31",
        plan=MONTHLY,
        payment=ON_NOTHING,
    )
    s = holding(
        replace(went_back, returned_quantity=1, refunded=34),
        replace(monthly, returned_quantity=2, refunded=20_001),
        replace(monthly, reservation_id="v-before-instalment", returned_quantity=2),
        bought(1_000_003, "v-up", quantity=7, starts_on="2026-01-31", payment=ON_NOTHING),
        bought(
            3_600_001,
            "v-monthly",
            quantity=3,
            months=36,
            starts_on="2026-01-31",
            plan=MONTHLY,
            payment=ON_NOTHING,
        ),
        bought(1, "v-cent", quantity=2, starts_on="2026-03-05", payment=ON_NOTHING),
        bought(1, "v-cent-again", quantity=2, starts_on="2026-03-05", payment=ON_NOTHING),
        bought(90_000, "v-traded", quantity=3, payment=ON_NOTHING),
    )
    s.at("2026-03-05T10:00:00Z")
    given_back(s, "v-up", 2)
    corrected = given_back(s, "v-up", 1)
    s.give(correct(corrected.refund_id))
    given_back(s, "v-monthly", 1)
    given_back(s, "v-before", 1)
    given_back(s, "v-cent", 1)
    s.give(correct(given_back(s, "v-cent-again", 1).refund_id))
    traded(s, "v-traded", total=120_000)
    return s


def days_to_ask(first: Day) -> list[Day]:
    """Every day of the first months, and then one in 17, until after the longest term."""
    return [*range(first, first + 100), *range(first + 100, first + 1_130, 17)]


def test_what_is_left_of_a_reservation_is_what_the_calculation_says(
    migrated: str, connection: Connection[Any]
) -> None:
    s = partly_returned()
    show(migrated, [s])
    found = connection.execute("SELECT reservation_id FROM finance.reservations").fetchall()
    assert len(found) == 9
    for day in days_to_ask(parse_day("2026-03-05")):
        values = connection.execute(
            "SELECT reservation_id, value_minor, remaining_commitment_minor"
            " FROM finance.reservation_values_on(%s)",
            (as_date(day),),
        ).fetchall()
        for reservation_id, value, commitment in values:
            held = s.state.find(Reservation, s.account, reservation_id)
            assert held is not None
            if not held.quantity:
                continue
            rounding = released_terms().at(start_of_day(day, "UTC")).partial_rounding
            figures = reservation_return(
                reservation_id, held, None, today=day, currency="USD", rounding=rounding
            )
            expected = (figures.value, figures.value + figures.later_instalments)
            assert (value, commitment) == expected, (reservation_id, as_date(day))


def test_a_reservation_shows_its_value_on_the_day_of_the_sandbox(
    migrated: str, connection: Connection[Any]
) -> None:
    s = holding(bought(36_500, starts_on="2026-01-05"))
    show(migrated, [s], now=parse_instant("2026-01-15T12:00:00Z"))
    columns = ("remaining_days", "remaining_value_minor", "product_family", "exchangeable")
    assert rows(connection, "reservations", *columns) == [(355, 35_500, "compute", True)]


@pytest.mark.parametrize("basis", CapBasis)
def test_the_rolling_totals_are_the_room_that_the_rules_see(
    migrated: str, connection: Connection[Any], basis: CapBasis
) -> None:
    stories = mixed(5)[-2:]
    show(migrated, stories)
    terms = with_terms(released_terms(), cap_basis=basis).at(0)
    prefix = "refund" if basis is CapBasis.REFUND else "commitment"
    release = "next_release" if basis is CapBasis.REFUND else "commitment_next_release"
    last = max(event.meta.recorded_at for story in stories for event in story.recorded)
    for age in (0, 100 * DAY, 200 * DAY, 300 * DAY, 364 * DAY):
        connection.execute("UPDATE consumers.sandbox_clock SET now_at = %s", (last + age,))
        answer = connection.execute(
            f"SELECT account_id, {prefix}_left_usd * 100, finance.micros({release}_at),"
            f" {release}_usd * 100 FROM finance.annual_refund_totals ORDER BY 1".encode()
        ).fetchall()
        expected = []
        for story in stories:
            room = story.cap_room(last + age, terms)
            released = room.next_release if room.next_release_at else None
            expected.append((story.account, room.left, room.next_release_at, released))
        assert answer == expected, age


def test_the_cap_and_its_window_are_those_of_the_terms(
    migrated: str, connection: Connection[Any]
) -> None:
    terms = with_terms(released_terms(), cap_usd=1_234_500, cap_window_days=30)
    s = holding(terms=terms)
    given_back(s)
    show(migrated, [s], now=s.now + 29 * DAY, terms=terms)
    columns = ("cap_usd", "refund_left_usd", "next_release_at")
    ((cap, left, release),) = rows(connection, "annual_refund_totals", *columns)
    assert (float(cap), float(left)) == (12_345.0, 12_345.0 - 365.0)
    assert release == as_datetime(s.now) + timedelta(days=30)


def test_quotas_are_as_the_account_has_used_them(
    migrated: str, connection: Connection[Any]
) -> None:
    stories = [story for story in mixed(11) if story.account[5] in "im"]
    pending = marketplace.applied()
    show(migrated, [*stories, pending])
    found = rows(connection, "quotas", "account_id", "quota", "used", "pending", "available")
    expected = []
    for story in [*stories, pending]:
        account, name = story.the_account(), story.account
        issued, asked = account.marketplace_refunds_issued, account.marketplace_refunds_pending
        full, ordinary = account.full_refunds_used, account.ordinary_returns_used
        expected += [
            (name, "FULL_REFUNDS", full, 0, 1 - full),
            (name, "MARKETPLACE_REFUNDS", issued, asked, max(0, 4 - issued - asked)),
            (name, "ORDINARY_RETURNS", ordinary, 0, 199 - ordinary),
        ]
    assert found == sorted(expected)


def test_a_corrected_quota_is_available_again(migrated: str, connection: Connection[Any]) -> None:
    s = acts.bought(paid(20_000))
    s.give(correct(acts.returned(s).refund_id, quota=True))
    show(migrated, [s])
    assert rows(connection, "quotas", "quota", "used")[0] == ("FULL_REFUNDS", 0)


def held() -> Scenario:
    s = marketplace.applied()
    marketplace.invoice(s, InvoiceState.APPLIED)
    return marketplace.approve(s)


REQUESTS: dict[str, Callable[[], Scenario]] = {
    "PENDING": marketplace.applied,
    "HELD": held,
    "REFUNDED": lambda: marketplace.approve(marketplace.applied()),
    "REFUNDED by the timer": lambda: marketplace.timer(
        marketplace.applied().at(marketplace.SAAS_DUE)
    ),
    "REFUNDED after a hold": lambda: marketplace.invoice(held(), InvoiceState.NONE),
    "WITHDRAWN": lambda: marketplace.applied().when(WithdrawMarketplaceRefund(purchase_id="p-1")),
    "DECLINED": lambda: marketplace.applied().when(
        DeclineMarketplaceRefund(purchase_id="p-1"), actor_id="v-1"
    ),
}


@pytest.mark.parametrize("story", REQUESTS)
def test_a_marketplace_request_says_when_it_is_due_and_what_became_of_it(
    migrated: str, connection: Connection[Any], story: str
) -> None:
    show(migrated, [REQUESTS[story]()], now=parse_instant("2026-01-06T16:00:00Z"))
    columns = ("state", "due_at", "time_left", "auto_approved", "refund_amount")
    ((state, due_at, left, automatic, amount),) = rows(connection, "marketplace_requests", *columns)
    assert state == story.partition(" ")[0]
    assert due_at == as_datetime(parse_instant(marketplace.SAAS_DUE))
    assert left == (timedelta(days=2) if state == "PENDING" else None)
    assert automatic is story.endswith("timer")
    assert (amount is not None) is (state == "REFUNDED")


def memo_reversed() -> Scenario:
    s = by_credit_memo()
    s.give(correct(only_refund(s)))
    return s


DOCUMENTS: dict[Callable[[], Scenario], list[tuple[str, str, str]]] = {
    by_credit_memo: [("CREDIT_MEMO", "ISSUED", "")],
    memo_reversed: [("CREDIT_MEMO", "REVERSED", "")],
    by_invoice: [
        ("HELD_CREDIT", "OPEN", "265.00"),
        ("INVOICE", "CANCELLED", ""),
        ("INVOICE", "ISSUED", ""),
    ],
}


@pytest.mark.parametrize("story", DOCUMENTS)
def test_a_document_has_its_state_and_what_is_open_of_it(
    migrated: str, connection: Connection[Any], story: Callable[[], Scenario]
) -> None:
    show(migrated, [story()])
    found = rows(connection, "documents", "kind", "state", "open_amount")
    assert [(kind, state, f"{left or ''}") for kind, state, left in found] == DOCUMENTS[story]


def test_a_commitment_shows_what_refunds_credited_to_it(
    migrated: str, connection: Connection[Any]
) -> None:
    s = to_the_commitment()
    show(migrated, [s], now=parse_instant("2026-06-01T00:00:00Z"))
    columns = ("term_id", "state", "amount_minor", "credited_minor")
    assert rows(connection, "commitment_terms", *columns) == [("t-1", "CURRENT", 1_000_000, 36_500)]


def test_a_refund_is_followed_step_by_step(migrated: str, connection: Connection[Any]) -> None:
    show(migrated, [confirmed()])
    assert rows(connection, "refund_progress", "step", "event_name", "reference")[:2] == [
        (1, "RefundIssued", None),
        (2, "InvoiceCancelled", "inv-1"),
    ]
    (last,) = rows(connection, "refund_progress", "step", "event_name", "reference")[-1:]
    assert last[1:] == ("RefundSettled", "g-1")


def test_each_payment_too_many_is_shown_with_its_card_and_its_reason(
    migrated: str, connection: Connection[Any]
) -> None:
    show(migrated, [of_account(paid_twice(), "acct-1"), of_account(corrected_first(), "acct-2")])
    columns = ("account_id", "attempt", "card_id", "gateway_reference", "reason", "amount_minor")
    assert rows(connection, "overpaid_refunds", *columns) == [
        ("acct-1", 2, "k-2", "g-3", "PAID_TWICE", 36_500),
        ("acct-2", 1, "k-1", "g-9", "PAID_AFTER_CORRECTION", 36_500),
    ]
    said = rows(connection, "overpaid_refunds", "gateway_reason", "amount", "currency")
    assert said == [("sent late", Decimal("365.00"), "USD"), (None, Decimal("365.00"), "USD")]
    found = rows(connection, "refunds", "account_id", "state", "amount", "overpaid")
    amount = Decimal("365.00")
    assert found == [
        ("acct-1", "SETTLED", amount, amount),
        ("acct-2", "CORRECTED", amount, amount),
    ]


def test_a_correction_reverses_what_was_overpaid_before_it(
    migrated: str, connection: Connection[Any]
) -> None:
    later = of_account(corrected_first(), "acct-2")
    show(migrated, [of_account(paid_twice_and_corrected(), "acct-1"), later])
    found = rows(connection, "overpaid_refunds", "account_id", "reason", "reversed_at")
    assert [(reason, when is not None) for _, reason, when in found] == [
        ("PAID_TWICE", True),
        ("PAID_AFTER_CORRECTION", False),
    ]


def test_progress_names_the_card_refund_that_each_step_is_about(
    migrated: str, connection: Connection[Any]
) -> None:
    show(migrated, [second_failed()])
    found = rows(connection, "refund_progress", "step", "event_name", "attempt", "reason")
    assert [each[1:] for each in found[3:]] == [
        ("CardRefundRequested", 1, None),
        ("RefundHeld", 1, "GATEWAY_FAILED"),
        ("SupportTaskOpened", 1, "GATEWAY_FAILED"),
        ("CardRefundRequested", 2, None),
        ("RefundSettled", 1, None),
        ("SupportTaskOpened", 2, "SECOND_ATTEMPT_UNDER_WAY"),
        ("GatewayAnswerRecorded", 2, "FAILED"),
    ]


def corrected_first() -> Scenario:
    """Called failed, corrected, and paid after all."""
    s = failed()
    s.give(correct(only_refund(s)))
    s.give(ConfirmCardRefund(refund_id=only_refund(s), gateway_reference="g-9"))
    return s


def test_refusals_are_counted_by_rule(migrated: str, connection: Connection[Any]) -> None:
    s = acts.bought()
    for _ in range(3):
        s.give(returning("i-1"))
    show(migrated, [s])
    found = rows(connection, "refusals_by_rule", "code", "command_type", "refusals", "accounts")
    assert found == [("QUOTE_REQUIRED", "ReturnInstance", 3, 1)]


def test_a_fiscal_year_begins_when_finance_says(migrated: str, connection: Connection[Any]) -> None:
    s = holding().at("2027-03-31T23:59:59Z")
    s.give(bought(36_500, "v-2", starts_on="2027-03-01", payment=ON_NOTHING))
    given_back(s, "v-2")
    s.at("2027-04-01T00:00:00Z")
    s.give(bought(36_500, "v-3", starts_on="2027-04-01", payment=ON_NOTHING))
    given_back(s, "v-3")
    show(migrated, [s])
    columns = ("year_starts_on", "year_ends_on", "refunds", "refund_usd")
    calendar = rows(connection, "refund_totals_by_calendar_year", *columns)
    assert calendar == [(date(2027, 1, 1), date(2028, 1, 1), 2, Decimal("700.08"))]
    connection.execute("UPDATE finance.fiscal_year SET first_month = 4")
    assert rows(connection, "refund_totals_by_fiscal_year", *columns) == [
        (date(2026, 4, 1), date(2027, 4, 1), 1, Decimal("335.08")),
        (date(2027, 4, 1), date(2028, 4, 1), 1, Decimal("365.00")),
    ]


def test_the_journal_balances_within_each_entry(migrated: str, connection: Connection[Any]) -> None:
    show(migrated, mixed(3))
    entries = connection.execute(
        "SELECT entry_id, currency, sum(coalesce(debit, 0)) - sum(coalesce(credit, 0))"
        " FROM finance.journal GROUP BY entry_id, currency"
    ).fetchall()
    assert len(entries) > 30
    assert {difference for _, _, difference in entries} == {Decimal("0.00")}


def test_the_statement_runs_to_the_balance(migrated: str, connection: Connection[Any]) -> None:
    show(migrated, mixed(3))
    last = connection.execute(
        "SELECT DISTINCT ON (account_id) account_id, balance_cash, balance_gift, balance"
        " FROM finance.statement ORDER BY account_id, line DESC"
    ).fetchall()
    moved = {account for account, *_ in last}
    columns = ("account_id", "cash", "gift", "total")
    balances = [row for row in rows(connection, "balances", *columns) if row[0] in moved]
    assert len(last) == 5
    assert last == balances
