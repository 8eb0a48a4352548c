"""Questions to the read models of one story, as a person or a program would ask them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace
from psycopg import Connection

from ledger.values.instants import DAY, format_instant
from ledger.vocabulary.shapes import CapUse, IsolationReason
from projector.asking.outcomes import Outcome, outcome, outcomes
from projector.asking.queries import (
    Cell,
    NoReadModels,
    NotAnswerable,
    UnknownAccount,
    as_records,
    ask,
    ask_for_all,
    of_columns,
    positions,
    zero_sum,
)
from projector.questions import QUESTIONS
from tests.projector.conftest import PASSING_TRIGGERS, catch_up
from tests.projector.mixed import mixed
from tests.projector.shown import of_account, show
from tests.projector.stories import (
    START,
    MemorySource,
    Story,
    corrected,
    isolated,
    issued,
    opened,
    order,
    told,
)
from tests.projector.views.test_settlement_flows import FLOWS


@pytest.fixture
def shown(migrated: str) -> Iterator[Connection[Any]]:
    """A connection to the read models of the whole story."""
    with _shown(migrated, told()) as connection:
        yield connection


@pytest.fixture
def full(migrated: str) -> Iterator[Connection[Any]]:
    """A ledger in which every question has an answer."""
    flows = [of_account(flow(), f"acct-f{number}") for number, flow in enumerate(FLOWS)]
    show(migrated, [*mixed(2), *flows])
    with psycopg.connect(migrated, autocommit=True) as connection:
        yield connection


def _shown(conninfo: str, story: Story) -> Connection[Any]:
    source = MemorySource(story.partition_count)
    source.append(story.values)
    catch_up(conninfo, source)
    return psycopg.connect(conninfo, autocommit=True)


def records(
    connection: Connection[Any], name: str, account_id: str | None = None
) -> list[dict[str, Cell]]:
    return as_records(ask(connection, QUESTIONS[name], account_id))


def test_balances_have_the_decimals_of_their_currency(shown: Connection[Any]) -> None:
    assert records(shown, "balances") == [
        {
            "account_id": "acct-1",
            "currency": "CNY",
            "cash": "0.00",
            "gift": "0.00",
            "total": "0.00",
        },
        {"account_id": "acct-2", "currency": "JPY", "cash": "500", "gift": "0", "total": "500"},
        {
            "account_id": "acct-3",
            "currency": "KWD",
            "cash": "0.000",
            "gift": "0.000",
            "total": "0.000",
        },
    ]


def test_the_bin_shows_the_refund_of_a_return(shown: Connection[Any]) -> None:
    first, second = records(shown, "recycle-bin", "acct-1")
    told_of_first = ("instance_id", "state", "refund_id", "refund_amount", "averted_by")
    assert [first[name] for name in told_of_first] == ["i-1", "RESTORED", "r-1", "407.96", "o-2"]
    assert (second["destroyed_because"], second["refund_id"]) == ("RETENTION_ELAPSED", None)


def test_the_bin_counts_the_time_left_by_the_sandbox_clock(shown: Connection[Any]) -> None:
    shown.execute(
        "INSERT INTO consumers.sandbox_clock (now_at) VALUES (%s)", (START + 8 * DAY - 90_000_000,)
    )
    (row,) = records(shown, "recycle-bin", "acct-2")
    assert row["time_left"] == 90
    assert row["restore_until"] == format_instant(START + 8 * DAY)


def test_an_isolation_that_a_later_one_replaced_says_so(migrated: str) -> None:
    story = Story()
    story.command("acct-1", opened())
    story.command("acct-1", order("o-1", "i-1"))
    story.command("acct-1", isolated("i-1"))
    anew = isolated("i-1", IsolationReason.EXPIRED)
    story.command("acct-1", replace(anew, isolation_id="iso-2", isolated_at=anew.isolated_at + DAY))
    with _shown(migrated, story) as connection:
        rows = records(connection, "recycle-bin")
    assert [(row["isolation_id"], row["state"]) for row in rows] == [
        ("iso-i-1", "ISOLATED_ANEW"),
        ("iso-2", "ISOLATED"),
    ]


def test_a_refund_tells_its_progress_and_its_working(shown: Connection[Any]) -> None:
    (row,) = records(shown, "refunds", "acct-1")
    assert (row["state"], row["amount"], row["cash"], row["gift"], row["corrected_because"]) == (
        "CORRECTED",
        "407.96",
        "200.00",
        "207.96",
        "ticket 7",
    )
    assert row["working"] == [{"step": "paid", "inputs": {"cash": "200.00"}, "result": "407.96"}]


def capped(refund_id: str, cents: int) -> Any:
    cap = CapUse(refund_usd=cents, cancelled_commitment_usd=2 * cents, rate="1")
    return replace(issued(refund_id, "v-1", cents, 0), cap=cap)


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (365 * DAY - 1, (2, "0.60", "1.20")),
        (365 * DAY, (1, "0.40", "0.80")),
    ],
)
def test_a_refund_counts_until_it_is_365_days_old_to_the_instant(
    migrated: str, age: int, expected: tuple[int, str, str]
) -> None:
    story = Story()
    story.command("acct-1", opened())
    (first,) = story.command("acct-1", capped("r-1", 20))
    story.command("acct-1", capped("r-2", 40))
    with _shown(migrated, story) as connection:
        connection.execute(
            "INSERT INTO consumers.sandbox_clock VALUES (true, %s)", (first.meta.recorded_at + age,)
        )
        (row,) = records(connection, "annual-refund-totals")
    assert (row["refunds"], row["refund_usd"], row["cancelled_commitment_usd"]) == expected


@pytest.mark.parametrize(("restored", "left"), [(True, "0.40"), (False, "0.60")])
def test_a_correction_frees_the_cap_only_where_it_was_given_back(
    migrated: str, restored: bool, left: str
) -> None:
    story = Story()
    story.command("acct-1", opened())
    story.command("acct-1", capped("r-1", 20))
    (second,) = story.command("acct-1", capped("r-2", 40))
    story.command("acct-1", replace(corrected("r-1", 0, 0), cap_restored=restored))
    with _shown(migrated, story) as connection:
        connection.execute("INSERT INTO consumers.sandbox_clock VALUES (true, %s)", (story.now,))
        (row,) = records(connection, "annual-refund-totals")
    assert (row["amount"], row["refund_usd"]) == ("0.40", left)
    released = second.meta.recorded_at if restored else second.meta.recorded_at - DAY // 24
    assert row["next_release_at"] == format_instant(released + 365 * DAY)
    assert row["next_release_usd"] == ("0.40" if restored else "0.20")


def test_refusals_come_in_precedence_order(shown: Connection[Any]) -> None:
    rows = records(shown, "refusals", "acct-1")
    assert [(row["position"], row["rule"]) for row in rows] == [
        (1, "return_quota"),
        (2, "act_on_a_quote"),
    ]
    assert rows[0]["figures"] == {"consumed": "199", "limit": "199"}


def test_all_postings_add_up_to_nothing_per_currency(shown: Connection[Any]) -> None:
    assert zero_sum(shown) == {"CNY": 0, "JPY": 0}
    assert [(row["currency"], row["difference"]) for row in records(shown, "trial")] == [
        ("CNY", "0.00"),
        ("JPY", "0"),
    ]


def test_an_outcome_names_its_events_in_order(shown: Connection[Any]) -> None:
    (found,) = outcome(shown, "acct-1", "c-8")
    assert found.event_names == ("BalanceCredited", "RefundSettled")
    assert not found.refused


def test_the_outcome_of_a_quote_can_be_acted_on(shown: Connection[Any]) -> None:
    (found,) = outcome(shown, "acct-1", "c-quote")
    assert (found.quote_id, found.quote_amount, found.quote_currency) == ("q-i-1", 40_796, "CNY")


def test_the_outcome_of_a_refused_command_is_its_violations(shown: Connection[Any]) -> None:
    (found,) = outcome(shown, "acct-1", "c-no")
    assert found.refused
    assert [violation.code for violation in found.violations] == [
        "RETURN_QUOTA_EXHAUSTED",
        "QUOTE_REQUIRED",
    ]


def test_many_outcomes_come_at_once_and_missing_ones_are_left_out(shown: Connection[Any]) -> None:
    wanted = [("acct-1", "c-1"), ("acct-2", "c-2"), ("acct-1", "not-yet")]
    found = outcomes(shown, wanted)
    assert set(found) == set(wanted[:2])
    assert all(isinstance(each, Outcome) for key in found for each in found[key])


def test_an_outcome_is_there_only_once_all_its_events_are(shown: Connection[Any]) -> None:
    shown.execute(PASSING_TRIGGERS)
    shown.execute("DELETE FROM read_models.outcomes WHERE event_name = 'RefundSettled'")
    assert outcome(shown, "acct-1", "c-8") == ()


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_can_be_asked_of_one_account_and_of_all(
    full: Connection[Any], name: str
) -> None:
    assert len(as_records(ask(full, QUESTIONS[name], limit=1))) == 1
    if QUESTIONS[name].of_accounts:
        mine = records(full, name, "acct-f1")
        assert all(row.get("account_id", "acct-f1") == "acct-f1" for row in mine)


@pytest.mark.parametrize("name", QUESTIONS)
def test_pages_in_turn_and_all_rows_at_once_are_the_whole_answer(
    full: Connection[Any], name: str
) -> None:
    question = QUESTIONS[name]
    whole = ask(full, question).rows
    paged: list[tuple[Cell, ...]] = []
    page = ask(full, question, limit=7)
    while page.last is not None:
        assert len(page.rows) == 7
        paged += page.rows
        page = ask(full, question, limit=7, after=page.last)
    assert [*paged, *page.rows] == [*whole]
    assert tuple(ask_for_all(full, question)) == whole


def test_a_page_of_some_columns_goes_on_where_the_last_one_ended(full: Connection[Any]) -> None:
    rules = of_columns(QUESTIONS["refusals-by-rule"], ["rule"])
    first = ask(full, rules, limit=1)
    second = ask(full, rules, limit=1, after=first.last)
    assert (*first.rows, *second.rows) == ask(full, rules, limit=2).rows


def test_a_column_that_is_named_twice_is_an_error() -> None:
    """Very many would be refused by the database, as if it were away."""
    with pytest.raises(NotAnswerable, match="'rule' is named twice"):
        of_columns(QUESTIONS["refusals-by-rule"], ["rule"] * 5_000)


@pytest.mark.parametrize("place", [("acct-1",), ("acct-1", "no number")])
def test_a_place_of_another_question_is_an_error(
    full: Connection[Any], place: tuple[str, ...]
) -> None:
    with pytest.raises(NotAnswerable, match=r"no (such )?place"):
        ask(full, QUESTIONS["statement"], after=place)


def test_an_account_with_nothing_to_show_is_an_empty_answer(shown: Connection[Any]) -> None:
    assert records(shown, "refunds", "acct-3") == []


@pytest.mark.parametrize("name", [q.name for q in QUESTIONS.values() if q.of_accounts])
def test_an_unknown_account_is_an_error(shown: Connection[Any], name: str) -> None:
    with pytest.raises(UnknownAccount, match="account nobody: the read models have none of that"):
        records(shown, name, "nobody")


def test_a_database_without_read_models_says_so(database: str) -> None:
    with (
        psycopg.connect(database) as connection,
        pytest.raises(NoReadModels, match="no read models yet; start the projector"),
    ):
        records(connection, "balances")


def test_positions_are_those_of_the_projector(shown: Connection[Any]) -> None:
    assert positions(shown) == {0: 1, 1: 1, 2: 21}
