"""The pages of an account: the amounts are the views', greyed buttons say why, the past stays."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote

import pytest

from console.explaining.folded_accounts import FoldedAccounts
from console.web.pages.accounts import things
from console.web.pages.rendering.links import account_path
from ledger import eligibility
from ledger.values.instants import parse_instant
from ledger.vocabulary.commands import COMMANDS
from ledger.vocabulary.events import BalanceCredited, RefundIssued
from tests.console.web.pages.conftest import ODD, Shown, main_of

pytestmark = pytest.mark.timeout(300)
AMOUNT = re.compile(r'<data class="amount" value="([^"]*)" data-source="finance\.(\w+)\.(\w+)"')
NEXT = re.compile(r'<a rel="next" href="([^"]+)"')
MICROS = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'


def accounts(shown: Shown) -> list[str]:
    return [row[0] for row in shown.rows("SELECT account_id FROM finance.accounts ORDER BY 1")]


def one(shown: Shown, query: str, *values: object) -> str:
    (row,) = shown.rows(query, *values)
    return str(row[0])


def following(shown: Shown, path: str) -> list[str]:
    """The pages from one on, as their links lead."""
    found = [main_of(shown.page(path))]
    while there := NEXT.search(found[-1]):
        found.append(main_of(shown.page(unescape(there[1]))))
    return found


def test_every_amount_with_a_source_is_the_text_of_its_view(shown: Shown) -> None:
    seen = 0
    for account in accounts(shown):
        for text, view, column in AMOUNT.findall(shown.page(account_path(account))):
            query = f"SELECT {column}::text FROM finance.{view} WHERE account_id = %s"
            assert text == one(shown, query, account), (account, view, column)
            seen += 1
    assert seen > 2 * len(accounts(shown))


def test_the_statement_leads_from_the_newest_line_to_the_first_with_the_balance_after_each(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.web.pages.accounts.account.MANY", 2)
    account = one(
        shown, "SELECT account_id FROM finance.statement GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
    )
    wanted = shown.rows(
        "SELECT line::text, balance::text FROM finance.statement WHERE account_id = %s"
        " ORDER BY line DESC",
        account,
    )
    found = []
    for page in following(shown, f"/accounts/{account}/statement"):
        for row in re.findall(r"<tr>(<td.*?)</tr>", page, re.DOTALL):
            cells = [re.sub(r"<[^>]*>", "", cell).strip() for cell in row.split("</td>")]
            found.append((cells[0], cells[10]))
    assert found == wanted
    assert len(wanted) > 2


def test_lists_lead_on_only_in_their_own_order(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.web.pages.accounts.account.A_FEW", 1)
    ((account_id,),) = shown.rows(
        "SELECT account_id FROM finance.refunds GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
    )
    page = main_of(shown.page(f"/accounts/{quote(account_id, safe='')}"))
    ways = [unescape(each) for each in re.findall(r'href="(/lists/refunds\?[^"]*)"', page)]
    assert ways
    for way in ways:
        shown.page(way)


def test_the_timeline_has_every_event_once_the_newest_first(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.web.pages.accounts.account.MANY", 4)
    account = "acct-five-days"
    pages = following(shown, f"/accounts/{account}/events")
    found = [int(each) for page in pages for each in re.findall(r'id="event-(\d+)"', page)]
    events = [each for each in shown.events if each.meta.account_id == account]
    assert found == sorted((each.meta.sequence for each in events), reverse=True)


def test_an_event_names_its_cause_and_its_effects(shown: Shown) -> None:
    credited = next(each for each in shown.events if isinstance(each.body, BalanceCredited))
    refund_id, account = credited.body.refund_id, credited.meta.account_id  # type: ignore[union-attr]
    issued = next(
        each.meta.sequence
        for each in shown.events
        if isinstance(each.body, RefundIssued) and each.body.refund_id == refund_id
    )
    page = main_of(shown.page(f"/accounts/{account}/events"))
    _, _, effect = page.partition(f'id="event-{credited.meta.sequence}"')
    because = effect.partition("</li>")[0]
    assert f"/events?before={issued + 1}#event-{issued}" in because.partition("because of")[2]
    _, _, cause = page.partition(f'id="event-{issued}"')
    led = cause.partition("</li>")[0].partition("led to")[2]
    assert f"#event-{credited.meta.sequence}" in led
    assert "given by" in cause.partition("</li>")[0]


def test_what_may_be_done_is_a_button_and_what_may_not_is_greyed_with_its_figures(
    shown: Shown,
) -> None:
    page = main_of(shown.page("/accounts/acct-eligible"))
    ways = [unescape(each) for each in re.findall(r'<a class="button" href="([^"]+)"', page)]
    assert ways
    for way in ways:
        there = re.fullmatch(r"/accounts/acct-eligible/acts/(\w+)\?thing=[\w-]+", way)
        assert there is not None, way
        assert there[1] in COMMANDS
        shown.page(way)
    greyed = re.findall(r"<button type=\"button\" disabled[^>]*>.*?</li>\n</ul>", page, re.DOTALL)
    assert greyed
    assert all("<code>" in each and "<dt>" in each for each in greyed)
    rules = set(re.findall(r'href="(/rules/\w+)"', page))
    assert rules
    for rule in rules:
        shown.page(rule)


def test_an_act_that_only_support_may_give_is_greyed_for_the_owner(shown: Shown) -> None:
    button = 'href="/accounts/acct-long/acts/ReturnInstance?thing=i-1"'
    as_owner = main_of(shown.page("/accounts/acct-long"))
    assert 'disabled data-act="ReturnInstance"' in as_owner
    assert "SELF_SERVICE_NOT_SUPPORTED" in as_owner
    assert button not in as_owner
    as_support = main_of(shown.page("/accounts/acct-long?support=yes"))
    assert button in as_support
    assert "SELF_SERVICE_NOT_SUPPORTED" not in as_support


def test_only_the_things_of_a_page_are_judged(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[int] = []

    def counted(state: object, keys: list[object], asking: object) -> object:
        judged.append(len(keys))
        return eligibility.judged(state, keys, asking)  # type: ignore[arg-type]

    monkeypatch.setattr(things, "judged", counted)
    monkeypatch.setattr("console.web.pages.accounts.account.A_FEW", 1)
    page = shown.page("/accounts/acct-eligible")
    assert judged == [1]
    assert page.count('<article class="thing">') == 1
    assert 'href="/accounts/acct-eligible/things"' in page
    every = "".join(following(shown, "/accounts/acct-eligible/things?start=0"))
    assert every.count('<article class="thing">') > 1


def test_an_account_with_very_many_events_is_shown_before_its_things_are_known(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = shown.client.app.state.backend  # type: ignore[attr-defined]
    monkeypatch.setattr(backend, "folded", FoldedAccounts(at_once=1))
    before = main_of(shown.page("/accounts/acct-eligible"))
    assert "very many events" in before
    assert '<article class="thing">' not in before
    assert '<article class="thing">' in shown.page("/accounts/acct-eligible/things")
    assert '<article class="thing">' in shown.page("/accounts/acct-eligible")


def test_a_rate_is_asked_for_where_the_cap_counts_dollars_and_a_wrong_one_is_kept(
    shown: Shown,
) -> None:
    account = one(
        shown,
        "SELECT account_id FROM finance.reservations WHERE currency <> 'USD' LIMIT 1",
    )
    assert 'name="usd_rate"' in shown.page(f"/accounts/{account}")
    wrong = shown.page(f"/accounts/{account}?usd_rate=much")
    assert 'value="much"' in wrong
    assert "much is not" in wrong
    chinese = shown.page(f"/accounts/{account}?usd_rate=much&lang=zh")
    shown.client.cookies.clear()
    assert "much 不是大于 0 且不超过 100 的小数，最多 12 位小数" in chinese
    told = main_of(shown.page(f"/accounts/{account}?usd_rate=1.08"))
    assert 'data-act="RefundReservation"' in told


def test_the_past_shows_what_was_known_then_and_keeps_it_in_its_links(shown: Shown) -> None:
    account = "acct-five-days"
    first = shown.rows(
        "SELECT to_char(recorded_at AT TIME ZONE 'UTC', %s) FROM finance.statement"
        " WHERE account_id = %s ORDER BY line LIMIT 1",
        MICROS,
        account,
    )[0][0]
    page = main_of(shown.page(f"/accounts/{account}?as_of={first}&known_at={first}"))
    total = one(
        shown,
        "SELECT total::text FROM finance.balances_at(%s, %s) WHERE account_id = %s",
        first,
        first,
        account,
    )
    assert f'value="{total}" data-source="finance.balances.total"' in page
    assert total != one(shown, "SELECT total FROM finance.balances WHERE account_id = %s", account)
    assert "told of the present alone" in page
    assert f"/accounts/{account}/statement?as_of={quote(first, safe='')}" in page
    statement = main_of(shown.page(f"/accounts/{account}/statement?known_at={first}"))
    assert statement.count("<tr><td") == 1
    events = main_of(shown.page(f"/accounts/{account}/events?known_at={first}"))
    known = [e for e in shown.events if e.meta.account_id == account]
    until = [e for e in known if e.meta.recorded_at <= parse_instant(first)]
    assert events.count('id="event-') == len(until) < len(known)


@pytest.mark.parametrize("part", ["", "/things", "/statement", "/events"])
def test_an_account_that_is_not_there_is_a_page_with_a_way_back(shown: Shown, part: str) -> None:
    assert '<a href="/">' in shown.page(f"/accounts/nobody{part}", 404)


@pytest.mark.parametrize(
    "asked",
    ["?as_of=yesterday", "/events?before=x", "/statement?cursor=x", "/things?start=-1"],
)
def test_what_cannot_be_read_is_named(shown: Shown, asked: str) -> None:
    assert "<h1>" in shown.page(f"/accounts/acct-five-days{asked}", 400)


@pytest.mark.parametrize("odd", ODD)
def test_every_link_of_an_account_with_an_odd_id_leads_somewhere(shown: Shown, odd: str) -> None:
    path, tried = f"/accounts/{quote(odd, safe='')}", set()
    for part in ("", "/things", "/statement", "/events"):
        page = main_of(shown.page(f"{path}{part}"))
        links = {unescape(each) for each in re.findall(r'href="(/[^"]+)"', page)}
        tried |= {each for each in links if not re.search(r"/acts/|/rows\.", each)}
    assert len(tried) > 8
    for link in tried:
        shown.page(link)
