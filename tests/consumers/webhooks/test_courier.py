"""Events reach the hooks at least once, in order by account, whatever fails in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from threading import Event as Flag

import pytest

from consumers.webhooks import keeping
from consumers.webhooks.hooks import MOST_HOOKS
from consumers.webhooks.schedule import PATIENCE
from consumers.webhooks.sending import PER_HOOK
from consumers.webhooks.signing import headers
from consumers.webhooks.table import RUN
from ledger.log.seam import Batch, WrongWorld
from ledger.values.instants import DAY, HOUR, MINUTE, SECOND
from tests.consumers.webhooks.bench import Bench, bench_on, plain
from tests.consumers.webhooks.receivers import OK, Answer, Got, Receiver, misbehaving, receiving
from tests.projector.stories import MemorySource, opened
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.integration
ACCOUNTS = [f"acct-{number}" for number in range(12)]


@pytest.fixture
def bench(database: str) -> Iterator[Bench]:
    with bench_on(database) as made:
        yield made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def refusing(*accounts: str, status: int = 500, **told: str) -> Callable[[Got], Answer]:
    """Takes all but these accounts."""
    named = {name.replace("_", "-"): value for name, value in told.items()}

    def answer(got: Got) -> Answer:
        return (status, named) if got.account in accounts or not accounts else OK

    return answer


def test_every_event_is_sent_in_order_and_then_forgotten(bench: Bench, receiver: Receiver) -> None:
    hook = bench.add(receiver.url)
    for _ in range(3 * RUN):
        bench.record_all(ACCOUNTS)
    bench.settle()
    for account in ACCOUNTS:
        assert receiver.of(account) == list(range(1, 3 * RUN + 1))
    assert len({got.webhook_id for got in receiver.got}) == len(receiver.got)
    assert (bench.waiting(), bench.queues(hook)) == (0, {})
    (shown,) = keeping.shown(bench.connection)
    assert (shown.sent, shown.last_sent_at) == (len(receiver.got), bench.now)
    assert sum(recorded.sent for _, recorded in bench.told) == len(receiver.got)


def test_a_hook_is_told_of_the_events_that_it_names(bench: Bench, receiver: Receiver) -> None:
    bench.add(receiver.url, "AccountOpened", "RefundIssued")
    bench.record("acct-1")
    bench._story.command("acct-1", opened())
    bench.record("acct-1")
    bench.settle()
    assert [got.told["event"] for got in receiver.got] == ["AccountOpened"]


def test_a_hook_begins_where_the_log_ends_when_it_is_added(
    bench: Bench, receiver: Receiver
) -> None:
    bench.record("acct-1", 3)
    bench.add(receiver.url + "/first")
    bench.record("acct-1", 2)
    second = bench.add(receiver.url + "/second")
    bench.record("acct-1", 2)
    bench.settle()
    paths = {"/refunds/first": [4, 5, 6, 7], "/refunds/second": [6, 7]}
    for path, expected in paths.items():
        assert [g.told["sequence"] for g in receiver.got if g.path == path] == expected
    assert second in {hook for hook, _ in bench.told}


def test_a_hook_added_later_than_all_others_ended_is_told_of_nothing_older(
    bench: Bench, receiver: Receiver
) -> None:
    first = bench.add(receiver.url)
    bench.record("acct-1", 2)
    bench.settle()
    assert keeping.end(bench.connection, first, "no more")
    bench.forward(SECOND)
    assert bench.courier.idle
    bench.record("acct-1", 2)
    bench.settle()
    assert bench.courier.follow(0.0) == 0
    bench.add(receiver.url)
    bench.record("acct-1")
    bench.settle()
    assert receiver.of("acct-1") == [1, 2, 5]


def test_while_an_account_is_not_taken_the_others_go_on(bench: Bench, receiver: Receiver) -> None:
    hook = bench.add(receiver.url)
    stuck = ACCOUNTS[:PATIENCE]
    receiver.answer = refusing(*stuck)
    for _ in range(5):
        bench.record_all(ACCOUNTS)
    bench.settle()
    for account in ACCOUNTS:
        assert receiver.of(account) == ([1] if account in stuck else [1, 2, 3, 4, 5])
    assert bench.queues(hook) == dict.fromkeys(stuck, ("WAITING", 1))
    receiver.answer = lambda _: OK
    bench.forward(MINUTE)
    bench.settle()
    for account in stuck:
        assert receiver.of(account) == [1, 1, 2, 3, 4, 5]


def test_accounts_that_hang_leave_room_for_the_others(bench: Bench, receiver: Receiver) -> None:
    bench.add(receiver.url)
    stuck, released = ACCOUNTS[:PER_HOOK], Flag()
    receiver.answer = refusing(*stuck)
    bench.record_all(ACCOUNTS)
    bench.settle()

    def hanging(got: Got) -> Answer:
        if got.account in stuck:
            released.wait(PATIENCE_SECONDS)
        return OK

    receiver.answer = hanging
    bench.forward(MINUTE)
    assert bench.courier.send() == PER_HOOK // 2
    bench.record(ACCOUNTS[-1])
    bench.courier.follow(0.0)
    assert bench.courier.send() == 1
    assert bench.courier.finish(PATIENCE_SECONDS) == 1
    assert receiver.of(ACCOUNTS[-1]) == [1, 2]
    released.set()


def test_a_hook_that_hangs_holds_up_no_other(bench: Bench, receiver: Receiver) -> None:
    released = Flag()

    def hang(connection: object) -> None:
        released.wait(PATIENCE_SECONDS)

    with misbehaving(hang) as url:
        hanging = bench.add(url)
        bench.add(receiver.url)
        for _ in range(3):
            bench.record_all(ACCOUNTS)
        bench.courier.follow(0.0)
        while len(receiver.got) < 3 * len(ACCOUNTS):
            bench.courier.send()
            bench.courier.finish(PATIENCE_SECONDS)
        assert hanging not in {hook for hook, _ in bench.told}
        released.set()


def test_a_repeat_has_the_same_id_and_body_and_a_new_time(bench: Bench, receiver: Receiver) -> None:
    bench.add(receiver.url)
    receiver.answer = refusing()
    bench.record("acct-1")
    bench.settle()
    receiver.answer = lambda _: OK
    bench.forward(MINUTE)
    bench.settle()
    first, second = receiver.got
    assert (first.webhook_id, first.body) == (second.webhook_id, second.body)
    times = [int(got.headers["webhook-timestamp"]) for got in (first, second)]
    assert times[1] - times[0] == 60


def test_tries_come_later_and_later(bench: Bench, receiver: Receiver) -> None:
    bench.add(receiver.url)
    receiver.answer = refusing()
    bench.record("acct-1")
    bench.settle()
    began = bench.now
    tries: list[int] = []
    while len(tries) < 9:
        bench.forward(5 * SECOND)
        before = len(receiver.got)
        bench.settle()
        if len(receiver.got) > before:
            tries.append((bench.now - began) // SECOND)
    gaps = [later - earlier for earlier, later in zip([0, *tries], tries, strict=False)]
    assert gaps == [5, 10, 20, 40, 80, 160, 320, 600, 600]


def test_a_receiver_that_asks_for_an_hour_gets_it(bench: Bench, receiver: Receiver) -> None:
    bench.add(receiver.url)
    receiver.answer = refusing(status=429, retry_after="3600")
    bench.record("acct-1")
    bench.settle()
    bench.forward(HOUR - SECOND)
    bench.settle()
    assert len(receiver.got) == 1
    bench.forward(SECOND)
    bench.settle()
    assert len(receiver.got) == 2


def fail_for_a_day(bench: Bench) -> None:
    for _ in range(2 * 24 * 6):
        bench.forward(5 * MINUTE)
        bench.settle()


def test_an_account_is_dead_after_a_day_and_redriven_in_order(
    bench: Bench, receiver: Receiver
) -> None:
    hook = bench.add(receiver.url)
    receiver.answer = refusing("acct-1")
    bench.record("acct-1", 3)
    bench.settle()
    fail_for_a_day(bench)
    assert bench.queues(hook)["acct-1"][0] == "DEAD"
    assert sum(recorded.dead for _, recorded in bench.told) == 1
    tries = len(receiver.got)
    bench.record("acct-1")
    bench.record("acct-2")
    receiver.answer = lambda _: OK
    bench.forward(DAY)
    bench.settle()
    assert (len(receiver.got), receiver.of("acct-2")) == (tries + 1, [1])
    (trouble,) = keeping.troubles(bench.connection, hook, 10)
    assert (trouble.account_id, trouble.state, trouble.said) == ("acct-1", "DEAD", "status 500")
    assert keeping.redrive(bench.connection, hook, None, bench.now) == 1
    bench.settle()
    assert receiver.of("acct-1")[tries:] == [1, 2, 3, 4]
    assert len({got.body for got in receiver.got if got.account == "acct-1"}) == 4


def test_the_first_event_of_a_dead_account_can_be_given_up(
    bench: Bench, receiver: Receiver
) -> None:
    hook = bench.add(receiver.url)
    receiver.answer = refusing()
    bench.record("acct-1", 2)
    bench.settle()
    assert keeping.skip(bench.connection, hook, "acct-1") is None
    fail_for_a_day(bench)
    receiver.answer = lambda _: OK
    assert keeping.skip(bench.connection, hook, "acct-1") == receiver.got[0].webhook_id
    assert keeping.redrive(bench.connection, hook, "acct-1", bench.now) == 1
    bench.settle()
    assert receiver.of("acct-1")[-1] == 2
    assert bench.queues(hook) == {}


def test_the_last_event_of_a_dead_account_can_be_given_up(bench: Bench, receiver: Receiver) -> None:
    hook = bench.add(receiver.url)
    receiver.answer = refusing()
    bench.record("acct-1")
    bench.settle()
    fail_for_a_day(bench)
    assert keeping.skip(bench.connection, hook, "acct-1") is not None
    assert (bench.queues(hook), bench.waiting()) == ({}, 0)


def test_of_a_receiver_that_is_away_one_account_is_tried_and_all_are_dead_after_a_day(
    bench: Bench,
) -> None:
    with receiving() as away:
        url = away.url
    hook = bench.add(url)
    accounts = [f"acct-{number}" for number in range(200)]
    bench.record_all(accounts)
    bench.settle()
    assert PATIENCE <= len(bench.told) <= 2 * PER_HOOK
    bench.told.clear()
    for _ in range(60):
        bench.forward(MINUTE)
        bench.settle()
    assert len(bench.told) <= 60
    fail_for_a_day(bench)
    assert {state for state, _ in bench.queues(hook).values()} == {"DEAD"}
    assert len(bench.queues(hook)) == bench.waiting() == 200
    assert sum(recorded.dead for _, recorded in bench.told) == 200
    bench.told.clear()
    bench.record("new")
    bench.settle()
    assert bench.queues(hook)["new"] == ("WAITING", 1)


def test_a_receiver_that_comes_back_gets_all_within_minutes(
    bench: Bench, receiver: Receiver
) -> None:
    bench.add(receiver.url)
    receiver.answer = refusing()
    for _ in range(4):
        bench.record_all(ACCOUNTS)
    bench.settle()
    for _ in range(30):
        bench.forward(MINUTE)
        bench.settle()
    receiver.answer = lambda _: OK
    before = len(receiver.got)
    for _ in range(12):
        bench.forward(MINUTE)
        bench.settle()
    assert len(receiver.got) - before == 4 * len(ACCOUNTS)
    for account in ACCOUNTS:
        assert receiver.of(account)[-4:] == [1, 2, 3, 4]


def test_a_receiver_that_is_gone_ends_the_hook_and_what_waits_is_deleted(
    bench: Bench, receiver: Receiver
) -> None:
    hook = bench.add(receiver.url)
    receiver.answer = refusing(status=410)
    bench.record("acct-1", 3)
    bench.settle()
    bench.forward(SECOND)
    assert (bench.courier.idle, bench.waiting(), bench.queues(hook)) == (True, 0, {})
    (shown,) = keeping.shown(bench.connection)
    assert shown.ended_why == "its receiver answered 410"
    assert not keeping.end(bench.connection, hook, "again")
    assert len(receiver.got) == 1
    rows = bench.connection.execute("SELECT FROM webhooks.secrets").fetchall()
    assert rows == []


def test_a_sender_that_dies_before_it_notes_an_answer_sends_the_same_again(
    bench: Bench, receiver: Receiver
) -> None:
    bench.add(receiver.url)
    bench.record("acct-1", 3)
    bench.courier.follow(0.0)
    bench.courier.send()
    receiver.wait_for(3)
    bench.killed()
    bench.settle()
    assert receiver.of("acct-1") == [1, 2, 3, 1, 2, 3]
    bodies = {(got.webhook_id, got.body) for got in receiver.got}
    assert len(bodies) == 3


def test_a_sender_that_dies_before_its_rows_are_stored_reads_them_again(
    bench: Bench, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.add(receiver.url)
    bench.record("acct-1", 3)

    def killed(point: str) -> None:
        if point == "webhooks.rows":
            raise RuntimeError(point)

    with monkeypatch.context() as patch:
        patch.setattr("consumers.webhooks.table.passing", killed)
        with pytest.raises(RuntimeError):
            bench.courier.follow(0.0)
    assert bench.waiting() == 0
    bench.killed()
    bench.settle()
    assert receiver.of("acct-1") == [1, 2, 3]


def test_a_rotated_secret_signs_beside_the_old_one_for_its_time(
    bench: Bench, receiver: Receiver
) -> None:
    hook, first = keeping.add(bench.connection, receiver.url, (), bench.source.ends, plain)
    made = keeping.rotate(bench.connection, hook, timedelta(hours=1), plain)
    assert made is not None
    bench.forward(SECOND)
    bench.record("acct-1")
    bench.settle()
    rotated = keeping.rotate(bench.connection, hook, timedelta(0), plain)
    assert rotated is not None
    bench.forward(SECOND)
    bench.record("acct-1")
    bench.settle()
    for got, secrets in zip(receiver.got, ([made[0], first], [rotated[0]]), strict=True):
        now = int(got.headers["webhook-timestamp"]) * SECOND
        assert headers(got.webhook_id, now, got.body, secrets).items() <= got.headers.items()
    assert keeping.rotate(bench.connection, "hook_no", timedelta(0), plain) is None


def test_of_two_rotations_the_newest_two_secrets_sign(bench: Bench, receiver: Receiver) -> None:
    hook = bench.add(receiver.url)
    made = [keeping.rotate(bench.connection, hook, timedelta(1), plain) for _ in range(2)]
    bench.forward(SECOND)
    bench.record("acct-1")
    bench.settle()
    (got,) = receiver.got
    now = int(got.headers["webhook-timestamp"]) * SECOND
    secrets = [each[0] for each in reversed(made) if each is not None]
    assert headers(got.webhook_id, now, got.body, secrets).items() <= got.headers.items()


def test_secrets_that_sign_no_more_are_deleted(bench: Bench) -> None:
    hook = bench.add("http://127.0.0.1:9/")

    def kept() -> list[int]:
        bench.forward(SECOND)
        rows = bench.connection.execute("SELECT number FROM webhooks.secrets ORDER BY number")
        return [number for (number,) in rows]

    assert kept() == [1]
    keeping.rotate(bench.connection, hook, timedelta(1), plain)
    assert kept() == [1, 2]
    keeping.rotate(bench.connection, hook, timedelta(1), plain)
    assert kept() == [2, 3]
    keeping.rotate(bench.connection, hook, timedelta(0), plain)
    assert kept() == [4]
    keeping.end(bench.connection, hook, "no more")
    assert kept() == []


def test_without_a_hook_nothing_is_read_and_the_reader_is_at_the_end(
    bench: Bench, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[int, int]] = []
    read = bench.source.read

    def watched(positions: Mapping[int, int], most: int, timeout: float) -> dict[int, Batch]:
        seen.append(dict(positions))
        return read(positions, most, timeout)

    monkeypatch.setattr(bench.source, "read", watched)
    hook = bench.add(receiver.url)
    bench.record("acct-1")
    bench.settle()
    keeping.end(bench.connection, hook, "no more")
    bench.record("acct-1", 5)
    seen.clear()
    bench.forward(SECOND)
    assert seen == [dict(enumerate(bench.source.ends()))]
    bench.forward(SECOND)
    assert bench.courier.follow(0.0) == 0
    assert len(seen) == 1
    begins = dict(enumerate(bench.source.ends()))
    bench.add(receiver.url)
    bench.courier.follow(0.0)
    assert seen[1:] == [begins]


def test_there_are_not_more_hooks_than_there_may_be(bench: Bench) -> None:
    for _ in range(MOST_HOOKS):
        keeping.add(bench.connection, "http://127.0.0.1:9/", (), bench.source.ends, plain)
    with pytest.raises(keeping.TooMany, match="end one"):
        keeping.add(bench.connection, "http://127.0.0.1:9/", (), bench.source.ends, plain)


def test_a_database_of_another_log_is_refused(bench: Bench, receiver: Receiver) -> None:
    bench.add(receiver.url)
    bench.record("acct-1")
    bench.settle()
    bench.source = MemorySource(3, "another topic")
    bench.courier = bench.new_courier()
    bench.courier.look()
    with pytest.raises(WrongWorld, match="another topic"):
        bench.courier.follow(0.0)


def test_no_query_of_a_large_backlog_reads_more_than_it_sends(bench: Bench) -> None:
    hook = bench.add("http://127.0.0.1:9/")
    bench.connection.execute(
        "INSERT INTO webhooks.queues (hook_id, account_id, due_at, waits_since, failures)"
        " SELECT %s, 'a-' || n, n, 0, n %% 2 FROM generate_series(1, 20000) AS n",
        (hook,),
    )
    bench.connection.execute(
        "INSERT INTO webhooks.deliveries SELECT %s, 'a-' || n %% 20000, n, 'msg_' || n, '{}'"
        " FROM generate_series(1, 100000) AS n",
        (hook,),
    )
    bench.connection.execute("ANALYZE webhooks.queues, webhooks.deliveries")
    read = "SELECT sum(idx_tup_fetch + seq_tup_read) FROM pg_stat_xact_user_tables"
    read += " WHERE schemaname = 'webhooks' AND relname IN ('queues', 'deliveries')"
    with bench.connection.transaction():
        assert bench.courier.send() == PER_HOOK
        row = bench.connection.execute(read).fetchone()
    assert row is not None
    assert 0 < int(row[0]) < 500
