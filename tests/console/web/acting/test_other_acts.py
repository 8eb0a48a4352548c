"""Every other command has its form: its fields are kept, named, and given once."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape

import psycopg
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from console.web.access import people
from console.web.api.openapi import GIVEN_BY_PEOPLE, examples
from console.web.pages.acting.acts import ACTS
from console.web.pages.acting.forms.reading import flat
from ledger.vocabulary.commands import COMMANDS, ROLES
from ledger.vocabulary.shapes import Role
from tests.console.ledgers import RunningLedger
from tests.console.web.acting.accounts import events_of, open_account, with_instance
from tests.console.web.acting.forms import form_of, press, send
from tests.console.web.browser import BROWSER, PASSWORD, sign_in
from tests.console.web.conftest import asked_by_anybody
from tests.console.web.serving import ledger_of

pytestmark = pytest.mark.timeout(300)

AS = {"as": "BILLING:b-1"}


@pytest.fixture(scope="module")
def opened(client: TestClient) -> str:
    """An account with nothing in it."""
    open_account(client, "others")
    return "others"


def form_page(client: TestClient, account: str, name: str) -> Response:
    """The form of a command."""
    return client.get(f"/accounts/{account}/acts/{name}", headers=BROWSER)


@pytest.mark.parametrize("name", [each for each in GIVEN_BY_PEOPLE if not ACTS[each].guided])
def test_every_other_command_is_filled_in_and_shown_before_it_is_given(
    client: TestClient, opened: str, name: str
) -> None:
    role = min(ROLES[COMMANDS[name]] - {Role.SYSTEM})
    page = form_page(client, opened, name)
    assert page.status_code == 200
    fields = dict(
        flat({k: v for k, v in examples()[name].items() if k not in ACTS[name].not_typed})
    )
    posted = {**form_of(page, "review").fields, **fields, "as": f"{role}:a-1", "step": "review"}
    asked = client.post(str(page.url), data=posted, headers=BROWSER)
    assert asked.status_code == 200, asked.text
    kept = form_of(asked, "act").fields
    assert fields.items() <= kept.items()


def test_an_account_is_opened_by_its_form(client: TestClient) -> None:
    page = form_page(client, "new-1", "OpenAccount")
    typed = {"account_type": "ONLINE", "currency": "CNY"}
    asked = press(client, page, "review", **typed, **AS)
    form = form_of(asked, "act")
    first, again = send(client, form, "act"), send(client, form, "act")
    assert first.url == again.url
    assert "AccountOpened" in first.text
    assert events_of(client, "new-1") == ["AccountOpened"]


def test_what_cannot_be_taken_stays_in_its_field(client: TestClient, opened: str) -> None:
    page = form_page(client, opened, "OpenCommitmentTerm")
    typed = {"term_id": "t-1", "starts_on": "soon", "ends_on": "2028-01-01", "amount": "1.234"}
    found = press(client, page, "review", **typed, **AS)
    assert found.status_code == 400
    fields = form_of(found, "review").fields
    assert typed.items() <= fields.items()
    assert found.text.count('aria-invalid="true"') == 2


def test_in_chinese_a_form_says_what_is_wrong_in_chinese(client: TestClient, opened: str) -> None:
    typed = {"starts_on": "soon", "ends_on": "2028-01-01", "amount": "1.234", "step": "review"}
    found = client.post(
        f"/accounts/{opened}/acts/OpenCommitmentTerm",
        data={**typed, **AS},
        headers={**BROWSER, "Accept-Language": "zh"},
    )
    assert found.status_code == 400
    said = unescape(found.text)
    assert "无: 文本" in said
    assert '"soon": 日期，例如 "2026-01-05"' in said
    decimals = "1.234 有 3 位小数；CNY 有 2 位小数"
    assert f'"1.234": 以十进制数文本书写的金额，例如 "1413.92"（{decimals}）' in said


def test_in_chinese_a_form_says_what_was_not_ticked_and_as_whom_nobody_acts(
    client: TestClient,
) -> None:
    with_instance(client, "zh-2")
    path, chinese = "/accounts/zh-2/acts/ReturnInstance", {**BROWSER, "Accept-Language": "zh"}
    told = {"thing": "i-1", "instance_id": "i-1", "step": "quote", "as": "NOBODY:x"}
    not_agreed = client.post(path, data=told, headers=chinese).text
    assert "您已阅读规则并同意" in not_agreed
    nobody = client.post(path, data={**told, "acknowledged": "yes"}, headers=chinese).text
    assert "ROLE:ID，角色为其中之一：" in nobody


def test_what_somebody_typed_is_text_on_the_page(client: TestClient, opened: str) -> None:
    page = form_page(client, opened, "ChangeCard")
    asked = press(client, page, "review", card_id='"><script>alert(1)</script>', **AS)
    assert "<script>alert" not in asked.text
    assert form_of(asked, "act").fields["card_id"] == '"><script>alert(1)</script>'


@pytest.mark.parametrize("text", ["\x00", "\ud800".encode("utf-8", "surrogatepass"), "x" * 3000])
def test_no_text_is_a_fault_of_ours(client: TestClient, opened: str, text: str | bytes) -> None:
    path = f"/accounts/{opened}/acts/ChangeCard"
    for step in ("review", "act", "quote", "more", ""):
        told = {"card_id": text, "as": "BILLING:b-1", "step": step, "form": text}
        assert client.post(path, data=told, headers=BROWSER).status_code < 500
    for name in ("done", "quote", "thing", "as", "was"):
        asked = client.get(path, params={name: text}, headers=BROWSER)
        assert asked.status_code < 500


def test_a_person_of_support_sees_the_forms_that_support_may_give(
    locked: TestClient, client: TestClient, opened: str, live_ledger: RunningLedger
) -> None:
    with psycopg.connect(live_ledger.database_url, autocommit=True) as connection:
        people.add(connection, "gina", PASSWORD, ["support"])
    sign_in(locked, "gina")
    found = {name: form_page(locked, opened, name).status_code for name in GIVEN_BY_PEOPLE}
    may = {Role.SUPPORT, Role.OWNER, Role.BUYER}
    expected = {
        name: 200 if ROLES[COMMANDS[name]] & may and name != "EraseSubject" else 403
        for name in GIVEN_BY_PEOPLE
    }
    assert found == expected
    locked.cookies.clear()


@pytest.fixture
def without_brokers(live_ledger: RunningLedger) -> Iterator[TestClient]:
    """The database answers, and no broker does."""
    away = replace(ledger_of(live_ledger), bootstrap="127.0.0.1:9")
    with asked_by_anybody(away) as client:
        yield client


def test_without_brokers_the_page_keeps_the_command_and_sends_it_again_once(
    client: TestClient, without_brokers: TestClient
) -> None:
    with_instance(client, "away-9")
    page = form_page(client, "away-9", "SetAccountStanding")
    asked = press(client, page, "review", in_arrears="yes", **AS)
    unknown = press(without_brokers, asked, "act")
    assert unknown.status_code == 503
    assert "It is not known whether the command was taken" in unknown.text
    form = form_of(unknown, "again")
    done = send(client, form, "again")
    assert "AccountStandingChanged" in done.text
    assert send(client, form, "again").url == done.url
    assert events_of(client, "away-9").count("AccountStandingChanged") == 1


def test_without_a_database_the_form_is_kept_to_be_sent_again(
    client: TestClient, live_ledger: RunningLedger
) -> None:
    open_account(client, "away-8")
    page = form_page(client, "away-8", "SetAccountStanding")
    asked = press(client, page, "review", in_arrears="yes", **AS)
    away = replace(ledger_of(live_ledger), database_url="postgresql://127.0.0.1:9/nothing")
    with asked_by_anybody(away) as without_database:
        unknown = press(without_database, asked, "act")
    assert unknown.status_code == 503
    assert "AccountStandingChanged" in press(client, unknown, "again").text


def test_a_page_in_chinese_has_the_providers_own_words(client: TestClient) -> None:
    with_instance(client, "zh-1")
    asked = {"thing": "i-1", "lang": "zh"}
    found = client.get("/accounts/zh-1/acts/ReturnInstance", params=asked, headers=BROWSER).text
    client.cookies.clear()
    for words in (
        "退货退费",
        "已阅读并同意",
        "使用须知",
        "实例销毁后 IP 资源同时释放。",
        "保留7天",
    ):
        assert words in found


@settings(
    max_examples=40,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@seed(16)
@given(data=st.data())
def test_no_form_is_a_fault_of_ours(client: TestClient, opened: str, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(list(ACTS)))
    kind = ACTS[name].asked
    known = list(dict(flat(examples().get(kind.__name__, {}))))
    fields = st.one_of(st.sampled_from([*known, "thing", "quote", "done"]), st.text(max_size=20))
    typed = data.draw(st.dictionaries(fields, st.text(max_size=20), max_size=8))
    step = data.draw(st.sampled_from(["", "quote", "review", "act", "purchases", "returns"]))
    more = data.draw(st.sampled_from(["", "lines", "purchases", "x"]))
    told = {**typed, "as": "OWNER:u-1", "step": step, "more": more, "acknowledged": "yes"}
    path = f"/accounts/{opened}/acts/{name}"
    assert client.post(path, data=told, headers=BROWSER).status_code < 500
    assert client.get(path, params=told, headers=BROWSER).status_code < 500
