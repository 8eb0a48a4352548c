"""The page of a refund: its amount as a ladder of steps, its stations, what was booked."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest

from tests.console.web.pages.conftest import Shown, main_of

pytestmark = pytest.mark.timeout(300)
STATION = re.compile(r'<li class="station-(\w+)"[^>]*><strong>(\w+)</strong>')


def refunds(shown: Shown, condition: str = "true") -> list[tuple[Any, ...]]:
    query = f"SELECT account_id, refund_id FROM finance.refunds WHERE {condition} ORDER BY 1, 2"
    return shown.rows(query)


def stations(shown: Shown, account: str, refund: str) -> list[tuple[str, str]]:
    return STATION.findall(shown.page(f"/refunds/{refund}?account={quote(account)}"))


def test_every_refund_has_its_page_with_the_views_amounts(shown: Shown) -> None:
    found = shown.rows(
        "SELECT account_id, refund_id, gross::text, fee::text, amount::text FROM finance.refunds"
    )
    assert len(found) > 20
    for account, refund, *amounts in found:
        page = shown.page(f"/refunds/{refund}?account={quote(account)}")
        for name, text in zip(("gross", "fee", "amount"), amounts, strict=True):
            assert f'value="{text}" data-source="finance.refunds.{name}"' in page, (refund, name)


def test_the_ladder_has_every_step_of_the_working_in_order(shown: Shown) -> None:
    for account, refund, working in shown.rows(
        "SELECT account_id, refund_id, working FROM finance.refunds WHERE rule = 'ORDINARY_RETURN'"
    ):
        page = main_of(shown.page(f"/refunds/{refund}?account={quote(account)}"))
        ladder = page.partition('<ol class="ladder">')[2].partition("</ol>")[0]
        found = re.findall(r"<strong>([^<]+)</strong> = ", ladder)
        assert found == [step["step"].replace("_", " ") for step in working]
        assert "ordinary_return" in page


def test_the_postings_are_all_of_the_refunds_and_balance(shown: Shown) -> None:
    account, refund = refunds(shown, "rule = 'FIVE_DAYS_NO_REASON'")[0]
    page = main_of(shown.page(f"/refunds/{refund}?account={quote(account)}"))
    table = page.partition('<section id="postings"')[2].partition("</section>")[0]
    wanted = shown.rows(
        "SELECT DISTINCT p.partition, p.log_sequence, p.line FROM finance.postings p"
        " JOIN finance.refund_progress s USING (partition, log_sequence)"
        " WHERE s.account_id = %s AND s.refund_id = %s",
        account,
        refund,
    )
    assert table.count("<tr><td") == len(wanted) >= 4


def test_a_settled_refund_was_at_every_station(shown: Shown) -> None:
    account, refund = refunds(shown, "rule = 'FIVE_DAYS_NO_REASON' AND state = 'SETTLED'")[0]
    assert stations(shown, account, refund) == [
        ("done", "Asked"),
        ("done", "Issued"),
        ("done", "Sent"),
        ("done", "Arrived"),
    ]


def test_a_held_refund_stops_and_can_be_settled_again(shown: Shown) -> None:
    held = refunds(shown, "state = 'HELD'")
    assert len(held) == 2
    for account, refund in held:
        assert stations(shown, account, refund)[-1] == ("stopped", "Held")
        page = shown.page(f"/refunds/{refund}?account={quote(account)}")
        assert f"/accounts/{account}/acts/SettleRefund?thing={refund}" in page


def test_a_corrected_refund_says_why(shown: Shown) -> None:
    account, refund = refunds(shown, "corrected_at IS NOT NULL")[0]
    ((why,),) = shown.rows(
        "SELECT corrected_because FROM finance.refunds WHERE refund_id = %s", refund
    )
    page = main_of(shown.page(f"/refunds/{refund}?account={quote(account)}"))
    assert STATION.findall(page)[-1] == ("stopped", "Corrected")
    assert why in page
    assert "CorrectRefund" not in page


def test_each_attempt_of_the_gateway_stands_with_its_answers(shown: Shown) -> None:
    account, refund = refunds(shown, "overpaid > 0")[0]
    asked = shown.rows(
        "SELECT attempt FROM finance.refund_progress WHERE refund_id = %s AND account_id = %s"
        " AND event_name = 'CardRefundRequested'",
        refund,
        account,
    )
    page = main_of(shown.page(f"/refunds/{refund}?account={quote(account)}"))
    attempts = page.partition('<section id="attempts"')[2].partition("</section>")[0]
    assert attempts.count("asked for card") == len(asked) > 0
    assert "RefundOverpaid" in attempts


def test_an_application_was_asked_for_when_the_buyer_applied(shown: Shown) -> None:
    (row,) = shown.rows(
        "SELECT account_id, refund_id, to_char(requested_at AT TIME ZONE 'UTC', %s)"
        " FROM finance.marketplace_requests WHERE account_id = 'acct-marketplace-timer'"
        " AND state = 'REFUNDED' ORDER BY requested_at LIMIT 1",
        'YYYY-MM-DD"T"HH24:MI:SS',
    )
    page = main_of(shown.page(f"/refunds/{row[1]}?account={row[0]}"))
    first = page.partition('<ol class="stations">')[2].partition("</li>")[0]
    assert row[2] in first


def test_without_its_account_it_is_found_and_of_several_one_is_chosen(shown: Shown) -> None:
    account, refund = refunds(shown, "account_id = 'acct-ordinary'")[0]
    assert f"/accounts/{account}" in main_of(shown.page(f"/refunds/{refund}"))
    ((twice,),) = shown.rows(
        "SELECT refund_id FROM finance.refunds WHERE account_id = 'a b' ORDER BY 1 LIMIT 1"
    )
    page = main_of(shown.page(f"/refunds/{twice}"))
    assert f'href="/refunds/{twice}?account=a+b"' in page
    assert f'href="/refunds/{twice}?account=a%2Fb"' in page


@pytest.mark.parametrize(
    "path", ["/refunds/nothing", "/refunds/a%2Fb?account=acct-ordinary", "/refunds/x?account=no"]
)
def test_a_refund_that_is_not_there_is_a_page_with_a_way_back(shown: Shown, path: str) -> None:
    assert '<a href="/">' in shown.page(path, 404)


def test_the_files_of_a_table_have_the_rows_of_the_refund_alone(shown: Shown) -> None:
    ((account, refund),) = shown.rows(
        "SELECT account_id, min(refund_id) FROM finance.refund_progress"
        " GROUP BY 1 HAVING count(DISTINCT refund_id) > 1 ORDER BY 1 LIMIT 1"
    )
    page = main_of(shown.page(f"/refunds/{refund}?account={quote(account)}"))
    (file,) = re.findall(r'href="(/lists/refund-progress/rows\.json\?[^"]*)"', page)
    rows = shown.client.get(unescape(file)).json()["rows"]
    assert {row["refund_id"] for row in rows} == {refund}
