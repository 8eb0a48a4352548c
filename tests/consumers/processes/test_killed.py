"""`kill -9` in the middle of the work: the ledger is what it would have been without."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import fastavro
import psycopg
import pytest
from msgspec.structs import replace

from consumers.sandbox.sandbox_world import SandboxWorld
from devstack import Services
from ledger.log.seam import LogUnavailable, Outgoing, Topic
from ledger.values.instants import DAY
from ledger.vocabulary.commands import (
    OpenAccount,
    QuoteInstanceReturn,
    RecordMarketplacePurchase,
    RefundMarketplaceManually,
    RefundReservation,
    ReturnInstance,
)
from ledger.vocabulary.envelope import GivenCommand
from ledger.vocabulary.shapes import AccountType, ProductKind, Role
from projector.asking.queries import positions
from tests.bodies import line, order, paid
from tests.consumers.deadlines.test_schedule import reservation
from tests.consumers.ledgers import START, assert_one_chain, given, record, standing
from tests.consumers.processes.oracle import expected_events, recorded_events
from tests.consumers.processes.stacks import (
    PARTITIONS,
    Stack,
    refundctl,
    running_stack,
)
from tests.house.tree import ROOT
from tests.waiting import PATIENCE_SECONDS, wait_until

ACCOUNTS = 21
JUNK = b"\xc3\x01junk"
COMMANDS = 2_000
KILLS = 4


@pytest.fixture
def stack(services: Services, tmp_path: Path) -> Iterator[Stack]:
    """A stack of the test's own; `services` only counts it among the tests on real ones."""
    del services
    with running_stack(tmp_path / "home") as running:
        yield running


def mixed(number: int) -> Outgoing:
    """The three stories side by side, with refusals, redeliveries and records that are not ours."""
    account = f"acct-{number % ACCOUNTS}"
    story = (online, market, reserved)[number % ACCOUNTS % 3]
    if number < ACCOUNTS:
        kind = AccountType.CSP if story is reserved else AccountType.ONLINE
        body = OpenAccount(account_type=kind, us_government=False, currency="USD")
        return record(given(f"open-{number}", body, account=account), PARTITIONS)
    subject = number // ACCOUNTS % 10
    if subject == 9:
        return replace(record(standing(number, account), PARTITIONS), value=JUNK)
    return record(story(number, account, subject), PARTITIONS)


def online(number: int, account: str, subject: int) -> GivenCommand:
    """Orders, then a quote and its redelivery, then a return by support."""
    last = f"i-{number - subject * ACCOUNTS}"
    if subject in (6, 7):
        quote = QuoteInstanceReturn(instance_id=last)
        command_id = f"quote-{number - (subject - 6) * ACCOUNTS}"
        return given(command_id, quote, account=account, role=Role.OWNER)
    if subject == 8:
        back = ReturnInstance(instance_id=last, acknowledged=True)
        return given(f"c-{number}", back, account=account, role=Role.SUPPORT)
    bought = replace(
        order(f"o-{number}", line(f"i-{number}"), starts_at=START, ends_at=START + 3_650 * DAY),
        currency="USD",
    )
    return given(f"c-{number}", bought, account=account)


def market(number: int, account: str, subject: int) -> GivenCommand:
    """Purchases refunded in part by ticket, beyond what was paid too."""
    last = f"p-{number - subject * ACCOUNTS}"
    if subject > 4:
        body = RefundMarketplaceManually(
            purchase_id=last, ticket=f"t-{number}", amount=10_000, currency="USD"
        )
        return given(f"c-{number}", body, account=account, role=Role.SUPPORT)
    bought = RecordMarketplacePurchase(
        purchase_id=f"p-{number}",
        product_kind=ProductKind.SAAS,
        vendor_id="v-1",
        buyer_id="u-1",
        paid=paid(20_000, 9_999),
        purchased_at=START,
        currency="USD",
    )
    return given(f"c-{number}", bought, account=account)


def reserved(number: int, account: str, subject: int) -> GivenCommand:
    """Reservations, given back piece by piece, more often than there are pieces."""
    last = f"r-{number - subject * ACCOUNTS}"
    if subject > 4:
        body = RefundReservation(reservation_id=last, quantity=1, usd_rate="1", acknowledged=True)
        return given(f"c-{number}", body, account=account, role=Role.SUPPORT)
    return given(f"c-{number}", reservation(f"r-{number}"), account=account)


def test_killing_the_decider_again_and_again_changes_nothing(stack: Stack) -> None:
    chance = random.Random(20_260_105)
    commands = [mixed(number) for number in range(COMMANDS)]
    waves = [commands[start : start + 100] for start in range(0, COMMANDS, 100)]
    killed_after = set(chance.sample(range(2, len(waves)), KILLS))
    killed = 0
    for number, wave in enumerate(waves):
        stack.tools.publish(wave)
        if number in killed_after:
            kill(stack, "decider")
            killed += 1
            wait_until(lambda: stack.ready("decider"), "the decider to be back")
    assert killed == KILLS
    wait_until(stack.decided, "every command to be decided")
    assert recorded_events(stack.tools) == expected_events(stack.tools)
    assert_one_chain(list(stack.tools.replay(Topic.EVENTS)), PARTITIONS)
    assert _dead_letters(stack) == sum(command.value == JUNK for command in commands)
    assert_shown_and_proven(stack)


def test_killing_the_projector_in_the_middle_changes_nothing(stack: Stack) -> None:
    stack.tools.publish([mixed(number) for number in range(COMMANDS // 2)])
    wait_until(lambda: _shown(stack) > 0, "the projector to be at work")
    kill(stack, "projector")
    stack.tools.publish([mixed(number) for number in range(COMMANDS // 2, COMMANDS)])
    settle(stack)
    assert recorded_events(stack.tools) == expected_events(stack.tools)
    assert_shown_and_proven(stack)


def test_killing_the_broker_in_the_middle_changes_nothing(stack: Stack) -> None:
    for start in range(0, COMMANDS, 200):
        publish_again_and_again(stack, [mixed(n) for n in range(start, start + 200)])
        if start in (400, 1_200):
            kill(stack, "kafka")
    settle(stack)
    assert recorded_events(stack.tools) == expected_events(stack.tools)
    assert_one_chain(list(stack.tools.replay(Topic.EVENTS)), PARTITIONS)
    assert_shown_and_proven(stack)


def test_killing_the_database_in_the_middle_changes_nothing(stack: Stack) -> None:
    for start in range(0, COMMANDS // 2, 200):
        stack.tools.publish([mixed(number) for number in range(start, start + 200)])
        if start in (200, 600):
            wait_until(lambda: _answers(stack), "the database to answer")
            kill(stack, "postgres")
    wait_until(lambda: _answers(stack), "the database to be back")
    assert_shown_and_proven(stack)
    assert "identical to the old tables" in refundctl(stack.home, "rebuild", "--verify")


def _answers(stack: Stack) -> bool:
    try:
        return _shown(stack) > 0
    except psycopg.Error:
        return False


def publish_again_and_again(stack: Stack, wave: list[Outgoing]) -> None:
    """As an upstream does that was given no answer: the same commands under the same ids."""

    def published() -> bool:
        try:
            stack.tools.publish(wave)
        except LogUnavailable:
            return False
        return True

    wait_until(published, "the broker to take the commands")


def kill(stack: Stack, process: str) -> None:
    """With -9, whatever it is doing."""

    def killed() -> bool:
        pid = stack.pid(process)
        if pid is None:
            return False
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:  # killed before, and its supervisor has not noticed yet
            return False
        return True

    wait_until(killed, f"{process} to be there to kill")


def settle(stack: Stack) -> None:
    """Until every command is decided, with all its follow-ups."""

    def settled() -> bool:
        try:
            with psycopg.connect(stack.database_url, autocommit=True) as connection:
                SandboxWorld(connection, stack.tools, patience_seconds=PATIENCE_SECONDS).settle()
        except (LogUnavailable, psycopg.OperationalError):
            return False
        return True

    wait_until(settled, "the stack to settle")


def assert_shown_and_proven(stack: Stack) -> None:
    """The read models are complete, and the audit has nothing to say."""
    settle(stack)
    wait_until(lambda: _all_shown(stack), "every event to be shown")
    assert _zero_sum(stack) == {}
    assert_readable_by_the_schemas_alone(stack)
    assert refundctl(stack.home, "audit", "verify") == ""


def _dead_letters(stack: Stack) -> int:
    return sum(1 for _ in stack.tools.replay(Topic.DEAD_LETTERS))


def assert_readable_by_the_schemas_alone(stack: Stack) -> None:
    """By plain Avro and the files in `schemas/`, every byte, with none of our code."""
    files = sorted((ROOT / "schemas" / "events").glob("*/*.avsc"))
    schemas = {}
    for schema in (fastavro.schema.load_schema(str(file)) for file in files):
        canonical = fastavro.schema.to_parsing_canonical_form(schema)
        schemas[bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))] = schema
    for found in stack.tools.replay(Topic.EVENTS):
        assert found.value is not None
        body = BytesIO(found.value[10:])
        event = fastavro.schemaless_reader(body, schemas[found.value[2:10]], None)
        assert isinstance(event, dict)
        assert event["meta"]["event_id"]
        assert body.read() == b""


def _shown(stack: Stack) -> int:
    with psycopg.connect(stack.database_url) as connection:
        row = connection.execute("SELECT count(*) FROM read_models.outcomes").fetchone()
        return int(row[0]) if row else 0


def _all_shown(stack: Stack) -> bool:
    ends = stack.tools.end_offsets(Topic.EVENTS)
    with psycopg.connect(stack.database_url) as connection:
        reached = positions(connection)
    return all(reached.get(partition, 0) >= end for partition, end in enumerate(ends))


def _zero_sum(stack: Stack) -> dict[str, int]:
    query = (
        "SELECT currency, sum(CASE side WHEN 'DEBIT' THEN amount ELSE -amount END) AS total"
        " FROM read_models.postings GROUP BY currency"
        " HAVING sum(CASE side WHEN 'DEBIT' THEN amount ELSE -amount END) <> 0"
    )
    with psycopg.connect(stack.database_url) as connection:
        return dict(connection.execute(query).fetchall())
