"""Webhooks on the pages: added, told, tested, paused, sent again, given up, rotated and ended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from fastapi.testclient import TestClient

from console.web.access import people
from console.web.application import application
from console.web.backend import Backend
from consumers.webhooks.signing import headers
from devstack import Services
from ledger.log.kafka import KafkaTools
from ledger.values.instants import SECOND
from tests.console.commands.test_webhooks import die
from tests.console.ledgers import PARTITIONS, RunningLedger, running_ledger
from tests.console.web.browser import BROWSER
from tests.console.web.serving import ledger_of
from tests.consumers.ledgers import opening, record, standing
from tests.consumers.webhooks.receivers import OK, Got, Receiver, receiving, secret_of
from tests.services import fresh_database
from tests.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

TEST = "WebhookTest"
FORM = 'action="/webhooks'


@pytest.fixture(scope="module")
def ledger(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLedger]:
    """It decides and tells its webhooks, and nothing else."""
    with (
        fresh_database(services.database_url) as database,
        running_ledger(
            services.bootstrap,
            database,
            tmp_path_factory.mktemp("webhooks"),
            sandbox=False,
            processes=("decider", "webhooks"),
        ) as found,
    ):
        yield found


@pytest.fixture(scope="module")
def pages(ledger: RunningLedger) -> Iterator[TestClient]:
    """Its pages."""
    app = application(Backend(ledger_of(ledger)))
    with TestClient(app, raise_server_exceptions=False, headers=BROWSER) as client:
        yield client


@pytest.fixture(scope="module")
def roles(ledger: RunningLedger) -> dict[str, dict[str, str]]:
    """Role → the headers of somebody who has it."""
    with psycopg.connect(ledger.database_url, autocommit=True) as connection:
        return {
            role: {
                "Authorization": f"Bearer {people.new_token(connection, f'{role}-3', [role], 1)}"
            }
            for role in ("support", "auditor", "operator")
        }


class Hook:
    """A webhook, as its page shows it to an operator."""

    def __init__(self, pages: TestClient, operator: dict[str, str], url: str) -> None:
        self._pages, self._operator = pages, operator
        events = "AccountOpened, AccountStandingChanged"
        added = pages.post("/webhooks", data={"url": url, "events": events}, headers=operator)
        assert added.status_code == 200, added.text
        (self.id,) = set(re.findall(r"hook_[0-9a-f]+", added.text))
        (self.secret,) = re.findall(r"whsec_[^<]+", added.text)
        assert self.secret not in self.shown()

    def shown(self, language: str = "en") -> str:
        """Its page."""
        asked = self._operator | {"Accept-Language": language}
        found = self._pages.get(f"/webhooks/{self.id}", headers=asked)
        assert found.status_code == 200, found.text
        return found.text

    def gives(self, act: str, **form: str) -> str:
        """The page after a form was sent."""
        told = self._pages.post(f"/webhooks/{self.id}/{act}", data=form, headers=self._operator)
        assert told.status_code == 200, told.text
        return told.text


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Takes everything, until a test says otherwise."""
    with receiving() as found:
        yield found


@pytest.fixture
def hook(pages: TestClient, roles: dict[str, dict[str, str]], receiver: Receiver) -> Iterator[Hook]:
    """A webhook that leads to the receiver, and ends with the test."""
    found = Hook(pages, roles["operator"], receiver.url)
    yield found
    found.gives("end", sure="yes")


def open_account(ledger: RunningLedger, account: str) -> None:
    """Two events of an account."""
    with closing(KafkaTools(ledger.kafka)) as tools:
        records = [opening(account, f"open-{account}"), standing(1, account)]
        tools.publish([record(each, PARTITIONS) for each in records])


def types_of(got: list[Got]) -> list[str]:
    """What each request was about."""
    return re.findall(r'"type":"(\w+)"', b" ".join(each.body for each in got).decode())


def test_what_is_added_is_told_and_its_secret_is_shown_once(
    ledger: RunningLedger, hook: Hook, receiver: Receiver
) -> None:
    open_account(ledger, "acct-told")
    receiver.wait_for(2)
    assert receiver.of("acct-told") == [1, 2]
    for got in receiver.got:
        now = int(got.headers["webhook-timestamp"]) * SECOND
        signed = headers(got.webhook_id, now, got.body, [secret_of(hook.secret)])
        assert signed.items() <= got.headers.items()
    wait_until(lambda: "<dd>2, the last one" in hook.shown(), "both to be noted")


def test_a_test_delivery_is_signed_and_sent_once_at_a_time(hook: Hook, receiver: Receiver) -> None:
    receiver.answer = lambda _: (500, {})
    assert "A test delivery is on its way" in hook.gives("test")
    wait_until(lambda: "status 500" in hook.shown(), "the answer to be noted")
    assert "Nothing was changed" in hook.gives("test")
    assert "test delivery" in hook.shown()
    receiver.answer = lambda _: OK
    assert "sent again" in hook.gives("redrive", tests="yes")
    wait_until(lambda: "status 500" not in hook.shown(), "it to be taken")
    assert set(types_of(receiver.got)) == {TEST}
    assert len({each.webhook_id for each in receiver.got}) == 1
    last = receiver.got[-1]
    now = int(last.headers["webhook-timestamp"]) * SECOND
    signed = headers(last.webhook_id, now, last.body, [secret_of(hook.secret)])
    assert signed.items() <= last.headers.items()


def test_a_paused_one_is_sent_nothing_and_then_everything_in_order(
    ledger: RunningLedger,
    pages: TestClient,
    roles: dict[str, dict[str, str]],
    hook: Hook,
    receiver: Receiver,
) -> None:
    assert "It is paused" in hook.gives("pause")
    assert "Nothing was changed" in hook.gives("pause")
    with receiving() as witness:
        other = Hook(pages, roles["operator"], witness.url)
        open_account(ledger, "acct-paused")
        witness.wait_for(2)
        wait_until(lambda: "<dd>2, the last one" in other.shown(), "the other one to be told")
        other.gives("end", sure="yes")
    assert receiver.got == []
    assert "It goes on" in hook.gives("resume")
    receiver.wait_for(2)
    assert receiver.of("acct-paused") == [1, 2]
    assert "Nothing was changed" in hook.gives("resume")


def test_a_dead_account_is_sent_again_or_its_first_event_given_up(
    ledger: RunningLedger, hook: Hook, receiver: Receiver
) -> None:
    receiver.answer = lambda _: (422, {})
    open_account(ledger, "acct-dead")
    wait_until(lambda: "status 422" in hook.shown(), "a failure")
    assert "Nothing was changed" in hook.gives("redrive")
    assert "Nothing was changed" in hook.gives("redrive", account="acct-dead", skip="yes")
    die(ledger, hook.id)
    assert "Send again all that is dead" in hook.shown()
    assert "已停发" in hook.shown("zh")
    assert "sent again" in hook.gives("redrive")
    wait_until(lambda: "status 422" in hook.shown(), "another failure")
    die(ledger, hook.id)
    receiver.taken()
    receiver.answer = lambda _: OK
    assert "given up" in hook.gives("redrive", account="acct-dead", skip="yes")
    receiver.wait_for(1)
    assert receiver.of("acct-dead") == [2]


def test_a_new_secret_is_shown_once_and_the_old_one_signs_for_a_time(hook: Hook) -> None:
    rotated = hook.gives("rotate", keep="2")
    (secret,) = re.findall(r"whsec_[^<]+", rotated)
    assert secret != hook.secret
    assert "The old one signs until" in rotated
    told = hook.shown()
    assert secret not in told
    assert "number 2, the one before it signs until" in told


def test_what_cannot_be_added_is_told_and_kept(
    pages: TestClient, roles: dict[str, dict[str, str]]
) -> None:
    typed = {"url": "http://a.example/<x>", "events": "RefundIsued"}
    told = pages.post("/webhooks", data=typed, headers=roles["operator"])
    assert told.status_code == 400
    assert "use https" in told.text
    assert "no such event as" in told.text
    assert 'value="http://a.example/&lt;x&gt;"' in told.text
    assert 'value="RefundIsued"' in told.text


def test_in_chinese_it_is_told_in_chinese_what_cannot_be_taken(
    pages: TestClient, roles: dict[str, dict[str, str]]
) -> None:
    headers = {**roles["operator"], "Accept-Language": "zh"}
    typed = {"url": "http://a.example/", "events": "RefundIsued"}
    told = pages.post("/webhooks", data=typed, headers=headers).text
    assert "http 只可用于本机回环地址；请使用 https" in told
    assert "没有事件" in told
    unsure = pages.post("/webhooks/hook_0/end", headers=headers)
    assert unsure.status_code == 400
    assert "请求中有 1 个字段不被接受；未执行任何操作" in unsure.text
    assert "勾选可以删除等待发送给它的内容 (无)" in unsure.text


def test_it_ends_only_with_the_mark_and_then_nothing_may_be_done(
    pages: TestClient, roles: dict[str, dict[str, str]], hook: Hook
) -> None:
    unsure = pages.post(f"/webhooks/{hook.id}/end", headers=roles["operator"])
    assert unsure.status_code == 400
    assert "ended by operator-3" not in hook.shown()
    told = hook.gives("end", sure="yes")
    assert "ended by operator-3" in told
    assert FORM not in told
    for act in ("test", "pause", "resume", "redrive"):
        assert "Nothing was changed" in hook.gives(act)
    gone = pages.post(f"/webhooks/{hook.id}/rotate", headers=roles["operator"])
    assert gone.status_code == 404


def test_an_auditor_looks_and_changes_nothing(
    pages: TestClient, roles: dict[str, dict[str, str]], hook: Hook
) -> None:
    for address in ("/webhooks", f"/webhooks/{hook.id}"):
        told = pages.get(address, headers=roles["auditor"])
        assert told.status_code == 200
        assert FORM not in told.text
        assert pages.get(address, headers=roles["support"]).status_code == 403
    for address in ("", f"/{hook.id}/pause", f"/{hook.id}/test", f"/{hook.id}/end"):
        told = pages.post(f"/webhooks{address}", headers=roles["auditor"])
        assert told.status_code == 403
    assert "已暂停" not in hook.shown("zh")


def test_an_operator_finds_it_in_the_list_with_a_form_for_another_one(
    pages: TestClient, roles: dict[str, dict[str, str]], hook: Hook, receiver: Receiver
) -> None:
    told = pages.get("/webhooks", headers=roles["operator"])
    assert told.status_code == 200
    assert f'href="/webhooks/{hook.id}"' in told.text
    assert receiver.url in told.text
    assert 'action="/webhooks" class="stacked"' in told.text
    assert 'href="/webhooks"' in pages.get("/work", headers=roles["operator"]).text


def test_an_unknown_one_is_not_found(pages: TestClient, roles: dict[str, dict[str, str]]) -> None:
    assert pages.get("/webhooks/hook_none", headers=roles["operator"]).status_code == 404
    for act in ("test", "pause", "resume", "redrive", "rotate"):
        told = pages.post(f"/webhooks/hook_none/{act}", headers=roles["operator"])
        assert told.status_code == 404, act
