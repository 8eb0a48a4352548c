"""What an account brings along stands in every view that finance reads, as the rules see it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from ledger.terms.table import released_terms
from ledger.values.instants import DAY, HOUR, as_datetime, parse_instant
from ledger.vocabulary.shapes import AccountType, Role
from tests.bodies import line, order, paid, returning
from tests.ledger.rules.common.brought import position, use
from tests.ledger.rules.reservations.stories import bought, by_support
from tests.ledger.rules.settlement.stories import settle
from tests.projector.finance.test_views import rows
from tests.projector.shown import show
from tests.scenario import START, Scenario

NOW = parse_instant(START)
AS_OF = "2026-01-01T00:00:00Z"


@pytest.fixture
def connection(migrated: str) -> Iterator[Connection[Any]]:
    with psycopg.connect(migrated, autocommit=True) as opened:
        yield opened


def online() -> Scenario:
    """Quotas spent and 15.00 on the balance; one more return, and its refund on the balance."""
    s = Scenario("acct-online").opened()
    s.give(position(as_of=AS_OF, quotas=(1, 17, 3), cash=1_000, gift=500))
    s.later(1).give(order("o-1", line("i-1", paid(10_000)), starts_at=START))
    s.give(returning("i-1"), role=Role.SUPPORT)
    settle(s, s.derived("refund"))
    return s


def by_invoice() -> Scenario:
    """20,000.00 and 5.00 of the cap used, 80.00 of credit held; 60.00 bought; a refund."""
    s = Scenario("acct-csp", at=NOW - HOUR).opened(AccountType.CSP, "USD").at(NOW)
    uses = (
        use(2_000_000, 3_000_000, at="2025-03-01T08:00:00Z", reference="old-1"),
        use(500, at="2025-06-01T08:00:00Z", reference="old-2"),
        use(9_999, at="2024-06-01T08:00:00Z", reference="old-0"),
    )
    credits = (("k-1", 3_000), ("k-2", 5_000))
    s.give(position(as_of=AS_OF, uses=uses, credits=credits, currency="USD"))
    s.later(1).give(bought(6_000, starts_on="2026-01-05"))
    by_support(s.later(DAY))
    return s


def test_the_statement_begins_with_what_was_brought_along(
    migrated: str, connection: Connection[Any]
) -> None:
    show(migrated, [online()])
    columns = ("line", "event_name", "kind", "cash", "gift", "balance", "business_date")
    opening, credited = rows(connection, "statement", *columns)
    brought = ("OpeningPositionRecorded", "INCOME", Decimal(10), Decimal(5), Decimal(15))
    assert opening == (1, *brought, date(2026, 1, 1))
    assert credited[:2] == (2, "BalanceCredited")
    assert credited[5] == 15 + credited[3]


def test_balances_hold_it_from_its_own_instant_and_the_trial_balance_stays_zero(
    migrated: str, connection: Connection[Any]
) -> None:
    show(migrated, [online(), by_invoice()])
    (balance,) = (
        each
        for each in rows(connection, "balances", "account_id", "cash", "gift")
        if each[0] == "acct-online"
    )
    stands = connection.execute(
        "SELECT cash, gift FROM finance.balances_at() WHERE account_id = 'acct-online'"
    ).fetchone()
    assert balance[1:] == stands
    assert connection.execute("SELECT sum(balance) FROM finance.trial_balance_at()").fetchone() == (
        0,
    )
    early = connection.execute(
        "SELECT ledger_account, balance FROM finance.trial_balance_at(%s) ORDER BY 1",
        (as_datetime(NOW),),
    ).fetchall()
    assert [name for name, _ in early] == [
        "balance:cash",
        "balance:gift",
        "held_credit",
        "opening_balance",
        "opening_balance",
    ]
    assert sum(amount for _, amount in early) == 0


def test_quotas_spent_before_are_spent(migrated: str, connection: Connection[Any]) -> None:
    show(migrated, [online()])
    assert rows(connection, "quotas", "quota", "used", "available") == [
        ("FULL_REFUNDS", 1, 0),
        ("MARKETPLACE_REFUNDS", 3, 1),
        ("ORDINARY_RETURNS", 17, 182),
    ]


def test_the_cap_shows_the_room_that_the_rules_see(
    migrated: str, connection: Connection[Any]
) -> None:
    s = by_invoice()
    show(migrated, [s])
    for age in (0, 50 * DAY, 60 * DAY, 200 * DAY, 364 * DAY):
        connection.execute("UPDATE consumers.sandbox_clock SET now_at = %s", (s.now + age,))
        room = s.cap_room(s.now + age, released_terms().at(0))
        ((refunds, left, at, released),) = rows(
            connection,
            "annual_refund_totals",
            "refunds",
            "refund_left_usd",
            "next_release_at",
            "next_release_usd",
        )
        assert (refunds, left * 100) == (1, room.left)
        assert (at, released * 100) == (as_datetime(room.next_release_at or 0), room.next_release)


def test_before_it_was_recorded_nobody_knew_of_its_refunds(
    migrated: str, connection: Connection[Any]
) -> None:
    s = by_invoice()
    show(migrated, [s])
    before = as_datetime(NOW - 1)
    for known_at, used in ((before, None), (None, Decimal("20005.00"))):
        found = connection.execute(
            "SELECT refund_usd FROM finance.annual_refund_totals_at(%s, %s)", (before, known_at)
        ).fetchall()
        assert found == [(used,)]
    counts = rows(connection, "refund_counts", "brought_along", "refund_id", "recorded_at")
    assert counts[1:] == [(True, f"old-{n}", as_datetime(NOW)) for n in (0, 1, 2)]


def test_years_count_it_against_the_cap_and_in_no_amount(
    migrated: str, connection: Connection[Any]
) -> None:
    show(migrated, [by_invoice()])
    columns = ("year_starts_on", "refunds", "amount", "refund_usd")
    years = rows(connection, "refund_totals_by_calendar_year", *columns)
    assert years[:2] == [
        (date(2024, 1, 1), 0, Decimal(0), Decimal("99.99")),
        (date(2025, 1, 1), 0, Decimal(0), Decimal("20005.00")),
    ]
    assert years[2][1] == 1


def test_held_credits_are_documents_until_they_are_consumed(
    migrated: str, connection: Connection[Any]
) -> None:
    show(migrated, [by_invoice()])
    columns = ("document_id", "kind", "state", "amount", "open_amount", "refund_id", "issued_at")
    assert rows(connection, "documents", *columns) == [
        ("k-1", "HELD_CREDIT", "CONSUMED", Decimal(30), Decimal(0), None, None),
        ("k-2", "HELD_CREDIT", "OPEN", Decimal(50), Decimal(20), None, None),
    ]
