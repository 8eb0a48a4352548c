"""Each view turns given events into exactly these rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from ledger.values.instants import DAY
from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.events import (
    EVENTS,
    AccountStandingChanged,
    CardChanged,
    CardRefundRequested,
    Event,
    RefundHeld,
    ReservationExchanged,
)
from ledger.vocabulary.shapes import CapUse, HoldReason, OrderKind, Parts, ReturnedLeg
from projector import views
from projector.rows.changes import Add, Insert, Set
from projector.rows.tables import Row, as_json
from projector.views import (
    VIEWS,
    accounts,
    annual_refund_totals,
    balances,
    instances,
    outcomes,
    postings,
    recycle_bin,
    refunds,
    refusals,
)
from tests.projector.stories import (
    START,
    WORKING,
    Story,
    corrected,
    credited,
    destroyed,
    isolated,
    issued,
    opened,
    order,
    quoted,
    refused,
    restored,
    settled,
)
from tests.samples import sample, sample_event


def recorded(body: Event) -> RecordedEvent:
    return Story().command("acct-1", body)[0]


def test_every_file_of_the_folder_is_in_the_tuple() -> None:
    folder = Path(views.__file__).parent
    files = {file.stem for file in folder.glob("*.py")} - {"__init__"}
    assert files == {view.TABLE.name for view in VIEWS}
    assert len(VIEWS) == len(files)


@pytest.mark.parametrize("name", EVENTS)
def test_every_view_takes_every_event(name: str) -> None:
    for view in VIEWS:
        for change in view.changes(sample_event(EVENTS[name])):
            named = change.row if isinstance(change, Insert) else _touched(change)
            assert set(named) <= set(view.TABLE.columns)


@pytest.mark.parametrize("name", EVENTS)
def test_every_inserted_row_has_every_column(name: str) -> None:
    for view in VIEWS:
        for change in view.changes(sample_event(EVENTS[name])):
            if isinstance(change, Insert):
                assert list(change.row) == list(view.TABLE.columns)


def _touched(change: Set | Add) -> dict[str, object]:
    return {**change.columns} if isinstance(change, Set) else {**change.amounts}


def test_an_opened_account_stands_well_and_has_no_card() -> None:
    event = recorded(opened("KWD"))
    assert accounts.changes(event) == (
        Insert(
            table=accounts.TABLE,
            row={
                "account_id": "acct-1",
                "account_type": "ONLINE",
                "us_government": False,
                "currency": "KWD",
                "in_arrears": False,
                "card_id": None,
                "opened_at": event.meta.recorded_at,
                "partition": 2,
            },
        ),
    )


@pytest.mark.parametrize(
    ("body", "columns"),
    [
        (AccountStandingChanged(in_arrears=True), {"in_arrears": True}),
        (CardChanged(card_id="card-9"), {"card_id": "card-9"}),
    ],
)
def test_standing_and_card_change_in_place(body: Event, columns: dict[str, bool | str]) -> None:
    expected = Set(table=accounts.TABLE, key=("acct-1",), columns={**columns})
    assert accounts.changes(recorded(body)) == (expected,)


def test_an_account_begins_with_a_balance_of_nothing() -> None:
    row: Row = {"account_id": "acct-1", "currency": "CNY", "cash": 0, "gift": 0}
    expected = Insert(table=balances.TABLE, row=row)
    assert balances.changes(recorded(opened())) == (expected,)


def test_a_credit_adds_to_each_fund() -> None:
    expected = Add(table=balances.TABLE, key=("acct-1",), amounts={"cash": 200, "gift": 207})
    assert balances.changes(recorded(credited("r-1", 200, 207))) == (expected,)


def test_a_correction_takes_back_what_it_reverses_of_each_fund() -> None:
    expected = Add(table=balances.TABLE, key=("acct-1",), amounts={"cash": -200, "gift": -207})
    assert balances.changes(recorded(corrected("r-1", 200, 207))) == (expected,)


def test_a_correction_before_any_credit_leaves_the_balance() -> None:
    event = recorded(replace(corrected("r-1", 200, 207), postings=()))
    assert balances.changes(event) == ()


def test_a_new_order_makes_an_instance_of_each_line() -> None:
    event = recorded(order("o-1", "i-1", "i-2"))
    inserted = [change.row for change in instances.changes(event) if isinstance(change, Insert)]
    assert [row["instance_id"] for row in inserted] == ["i-1", "i-2"]
    assert inserted[0] == {
        "account_id": "acct-1",
        "instance_id": "i-1",
        "billing": "PREPAID",
        "product": "cvm-s5",
        "region": "ap-guangzhou",
        "state": "RUNNING",
        "ends_at": START + 365 * DAY,
        "recorded_at": event.meta.recorded_at,
    }


def test_a_renewal_prolongs_the_instance() -> None:
    event = recorded(order("o-2", "i-1", kind=OrderKind.RENEWAL))
    expected = Set(
        table=instances.TABLE,
        key=("acct-1", "i-1"),
        columns={"ends_at": START + 365 * DAY},
    )
    assert instances.changes(event) == (expected,)


def test_a_conversion_makes_the_instance_prepaid() -> None:
    event = recorded(order("o-2", "i-1", kind=OrderKind.CONVERSION))
    columns: dict[str, str | int | None] = {"billing": "PREPAID", "ends_at": START + 365 * DAY}
    expected = Set(table=instances.TABLE, key=("acct-1", "i-1"), columns={**columns})
    assert instances.changes(event) == (expected,)


@pytest.mark.parametrize(
    ("body", "columns"),
    [
        (isolated("i-1"), {"state": "ISOLATED", "ends_at": None}),
        (restored("i-1"), {"state": "RUNNING"}),
        (destroyed("i-1"), {"state": "DESTROYED", "ends_at": None}),
    ],
)
def test_the_bin_moves_the_instance(body: Event, columns: dict[str, str | None]) -> None:
    expected = Set(table=instances.TABLE, key=("acct-1", "i-1"), columns={**columns})
    assert instances.changes(recorded(body)) == (expected,)


def test_an_isolation_is_a_row_of_its_own() -> None:
    event = recorded(isolated("i-1"))
    assert recycle_bin.changes(event) == (
        Insert(
            table=recycle_bin.TABLE,
            row={
                "account_id": "acct-1",
                "isolation_id": "iso-i-1",
                "instance_id": "i-1",
                "reason": "RETURNED",
                "state": "ISOLATED",
                "isolated_at": START + DAY,
                "restore_until": START + 8 * DAY,
                "averted_by": None,
                "restored_at": None,
                "destroyed_at": None,
                "destroyed_because": None,
                "command_id": "c-1",
                "recorded_at": event.meta.recorded_at,
            },
        ),
    )


def test_a_renewal_in_time_marks_the_isolations_it_averts() -> None:
    event = recorded(order("o-2", "i-1", kind=OrderKind.RENEWAL, averts=("iso-a", "iso-b")))
    assert recycle_bin.changes(event) == tuple(
        Set(table=recycle_bin.TABLE, key=("acct-1", name), columns={"averted_by": "o-2"})
        for name in ("iso-a", "iso-b")
    )


def test_a_restore_ends_the_stay() -> None:
    expected = Set(
        table=recycle_bin.TABLE,
        key=("acct-1", "iso-i-1"),
        columns={"state": "RESTORED", "restored_at": START + 2 * DAY},
    )
    assert recycle_bin.changes(recorded(restored("i-1"))) == (expected,)


def test_a_destruction_stands_at_its_business_instant() -> None:
    event = recorded(destroyed("i-1"))
    late = replace(event, meta=replace(event.meta, recorded_at=event.meta.occurred_at + DAY))
    expected = Set(
        table=recycle_bin.TABLE,
        key=("acct-1", "iso-i-1"),
        columns={
            "state": "DESTROYED",
            "destroyed_at": event.meta.occurred_at,
            "destroyed_because": "RETENTION_ELAPSED",
        },
    )
    assert recycle_bin.changes(late) == (expected,)


def test_an_issued_refund_shows_its_parts_and_its_working() -> None:
    event = recorded(issued("r-1", "i-1", 200, 207))
    (change,) = refunds.changes(event)
    assert isinstance(change, Insert)
    assert change.row == {
        "account_id": "acct-1",
        "refund_id": "r-1",
        "source_kind": "INSTANCE",
        "source_id": "i-1",
        "rule": "FIVE_DAYS_NO_REASON",
        "currency": "CNY",
        "gross": 407,
        "fee": 0,
        "amount": 407,
        "cash": 200,
        "gift": 207,
        "original": None,
        "state": "ISSUED",
        "auto_approved": None,
        "quota_spent": True,
        "ticket": None,
        "issued_at": event.meta.recorded_at,
        "occurred_at": event.meta.occurred_at,
        "expected_arrival_at": None,
        "settled_at": None,
        "held_because": None,
        "corrected_at": None,
        "corrected_because": None,
        "command_id": "c-1",
        "working": as_json(WORKING),
        "quota_restored": False,
        "overpaid": 0,
    }


def test_a_returned_leg_is_a_refund_without_a_rule() -> None:
    (change,) = refunds.changes(recorded(exchanged()))
    assert isinstance(change, Insert)
    shown = {name: change.row[name] for name in ("refund_id", "rule", "amount", "original")}
    assert shown == {"refund_id": "r-x", "rule": None, "amount": 3_960, "original": 3_960}


@pytest.mark.parametrize(
    ("body", "columns"),
    [
        (
            credited("r-1", 1, 2),
            {
                "state": "SETTLING",
                "held_because": None,
                "expected_arrival_at": START + 10 * DAY,
            },
        ),
        (settled("r-1"), {"state": "SETTLED", "settled_at": "now", "held_because": None}),
        (
            RefundHeld(refund_id="r-1", reason=HoldReason.GATEWAY_FAILED, currency="CNY"),
            {"state": "HELD", "held_because": "GATEWAY_FAILED"},
        ),
        (
            CardRefundRequested(
                refund_id="r-1", card_id="card-1", amount=5, postings=(), currency="CNY"
            ),
            {"state": "SETTLING", "held_because": None},
        ),
        (
            corrected("r-1", 1, 2),
            {
                "state": "CORRECTED",
                "corrected_at": "now",
                "corrected_because": "ticket 7",
                "quota_restored": False,
            },
        ),
    ],
)
def test_a_refund_moves_on(body: Event, columns: dict[str, object]) -> None:
    event = recorded(body)
    (change,) = refunds.changes(event)
    assert isinstance(change, Set)
    assert change.key == ("acct-1", "r-1")
    now = event.meta.recorded_at
    assert change.columns == {k: now if v == "now" else v for k, v in columns.items()}


def test_a_refund_with_a_cap_keeps_both_readings() -> None:
    cap = CapUse(refund_usd=5_000, cancelled_commitment_usd=235_000, rate="0.14")
    body = replace(issued("r-1", "i-1", 1, 2), parts=Parts(original=3), cap=cap)
    event = recorded(body)
    assert annual_refund_totals.changes(event) == (
        Insert(
            table=annual_refund_totals.TABLE,
            row={
                "account_id": "acct-1",
                "refund_id": "r-1",
                "recorded_at": event.meta.recorded_at,
                "occurred_at": event.meta.occurred_at,
                "counts": True,
                "currency": "CNY",
                "amount": 3,
                "refund_usd": 5_000,
                "cancelled_commitment_usd": 235_000,
                "usd_rate": "0.14",
                "corrected_at": None,
                "cap_restored": False,
            },
        ),
    )


def test_an_exchange_never_counts() -> None:
    (change,) = annual_refund_totals.changes(recorded(exchanged()))
    assert isinstance(change, Insert)
    assert change.row["counts"] is False


def test_a_correction_says_whether_the_cap_was_given_back() -> None:
    event = recorded(replace(corrected("r-1", 1, 2), cap_restored=True))
    expected = Set(
        table=annual_refund_totals.TABLE,
        key=("acct-1", "r-1"),
        columns={"corrected_at": event.meta.recorded_at, "cap_restored": True},
    )
    assert annual_refund_totals.changes(event) == (expected,)


def test_a_refusal_is_a_row_for_each_rule_in_order() -> None:
    rows = _rows(refusals.changes(recorded(refused("ReturnInstance", "c-7"))))
    assert [(row["position"], row["code"]) for row in rows] == [
        (1, "RETURN_QUOTA_EXHAUSTED"),
        (2, "QUOTE_REQUIRED"),
    ]
    assert rows[0]["figures"] == as_json({"consumed": "199", "limit": "199"})


@pytest.mark.parametrize("name", EVENTS)
def test_every_posting_of_every_event_is_in_the_journal(name: str) -> None:
    event = sample_event(EVENTS[name])
    stored = getattr(event.body, "postings", ())
    shown = [
        (row["transaction"], row["ledger_account"], row["side"], row["amount"], row["currency"])
        for row in _rows(postings.changes(event))
    ]
    assert shown == [(p.transaction, p.account, p.side, p.amount, "CNY") for p in stored]


def test_an_outcome_names_the_event_and_the_command() -> None:
    first, second = Story().command("acct-1", isolated("i-1"), issued("r-1", "i-1", 1, 2))
    rows = _rows((*outcomes.changes(first), *outcomes.changes(second)))
    assert [
        (row["command_id"], row["event_index"], row["event_count"], row["event_name"])
        for row in rows
    ] == [("c-1", 0, 2, "InstanceIsolated"), ("c-1", 1, 2, "RefundIssued")]


def test_the_outcome_of_a_quote_carries_what_to_confirm_it_by() -> None:
    (row,) = _rows(outcomes.changes(recorded(quoted("i-1", 40_796))))
    assert (row["quote_id"], row["quote_amount"], row["quote_currency"]) == ("q-i-1", 40_796, "CNY")


def test_the_opening_of_the_ledger_is_no_outcome() -> None:
    assert outcomes.changes(Story().events[0]) == ()


def exchanged() -> ReservationExchanged:
    leg = replace(sample(ReturnedLeg), value=3_960, refund_id="r-x")
    return replace(sample(ReservationExchanged), returned=(leg,))


def _rows(changes: object) -> list[dict[str, object]]:
    assert isinstance(changes, tuple)
    return [{**change.row} for change in changes if isinstance(change, Insert)]
