"""On a real ledger that requires signatures nothing forged is decided, and all that is good is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

import pytest
from msgspec import Struct
from msgspec.structs import replace

from console.commands.audit import verified
from console.running.ledger_locator import Ledger
from console.running.origins.changes import (
    EVERYBODY,
    NewKey,
    Rights,
    add_key,
    add_origin,
    end_keys,
    set_mode,
)
from console.running.origins.key_files import key_file, read_key
from console.running.origins.origin_folder import OriginFolder
from consumers.deciding.decider import GROUP
from consumers.follow_ups import command_record
from devstack import Services
from ledger.log.kafka import KafkaTools, verify_world
from ledger.log.seam import Outgoing, Topic
from ledger.origins import signing
from ledger.origins.signing import Signer, sign_of
from ledger.origins.table import Algorithm, Mode
from ledger.values.instants import HOUR
from ledger.vocabulary.envelope import GivenCommand
from ledger.vocabulary.shapes import Role
from ledger.wire.avro.codec import decode_event
from ledger.wire.dead_letters.letter import read_letter
from tests import services as real
from tests.console.ledgers import PARTITIONS, RunningLedger, running_ledger
from tests.console.virtual_terminal import Terminal
from tests.consumers.ledgers import given, opening, standing
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

GOOD, BAD = 2_500, 10_000
ACCOUNTS = 20


class Asked(Struct, frozen=True, kw_only=True):
    """A ledger that requires signatures."""

    running: RunningLedger
    tools: KafkaTools
    folder: OriginFolder
    ledger_id: str

    def signer(self, origin: str, key_id: str = "k1") -> Signer:
        """Signs as this origin."""
        algorithm, secret = read_key("key", key_file(self.folder.path, origin, key_id))
        sign = sign_of(algorithm, secret)
        return Signer(origin=origin, key_id=key_id, ledger_id=self.ledger_id, sign=sign)

    def publish(self, records: Sequence[Outgoing]) -> None:
        """Give commands, and wait until all are decided or set aside."""
        self.tools.publish(records)
        ends = self.tools.end_offsets(Topic.COMMANDS)
        wait_until(
            lambda: all(
                (at or 0) >= end
                for at, end in zip(
                    self.tools.committed_offsets(GROUP, Topic.COMMANDS), ends, strict=True
                )
            ),
            f"the decider to reach {ends}",
        )

    def answered(self) -> Counter[tuple[str, str]]:
        """How many events answer each command, by account and id."""
        found = (decode_event(each.value).meta for each in self.tools.replay(Topic.EVENTS))
        return Counter((meta.account_id, meta.causation_id) for meta in found if meta.account_id)

    def set_aside(self) -> dict[tuple[int, int], str]:
        """The reason of each dead letter, by the place of its record."""
        letters = (read_letter(each) for each in self.tools.replay(Topic.DEAD_LETTERS))
        return {(e.source.partition, e.source.offset): e.reason for e in letters if e is not None}


@pytest.fixture
def asked(services: Services, tmp_path: Path) -> Iterator[Asked]:
    """Origins of both algorithms, one that may do little, and one whose key has ended."""
    folder = OriginFolder(tmp_path / "table")
    ed25519 = NewKey(algorithm=Algorithm.ED25519)
    for name, rights, key in (
        ("billing", EVERYBODY, NewKey()),
        ("portal", EVERYBODY, ed25519),
        ("narrow", Rights(roles=(Role.BILLING,), accounts=("other-*",)), NewKey()),
        ("reader", Rights(roles=(Role.OWNER,), commands=("ReturnInstance",)), NewKey()),
        ("former", EVERYBODY, ed25519),
    ):
        list(add_origin(folder, name, rights, key))
    list(end_keys(folder, "former", None))
    list(set_mode(folder, Mode.REQUIRED))
    with (
        real.fresh_database(services.database_url) as url,
        running_ledger(
            services.bootstrap,
            url,
            tmp_path,
            sandbox=False,
            access={**real.access(), "REFUNDS_ORIGINS": str(folder.path)},
        ) as running,
    ):
        tools = KafkaTools(running.kafka)
        ledger_id = str(verify_world(running.kafka)[Topic.COMMANDS])
        yield Asked(running=running, tools=tools, folder=folder, ledger_id=ledger_id)
        tools.close()


def signed(command: GivenCommand, by: Signer | None) -> Outgoing:
    return command_record(command, PARTITIONS, by)


def account(number: int) -> str:
    return f"acct-{number % ACCOUNTS}"


Forge = Callable[[Asked, GivenCommand, GivenCommand], Outgoing]


def unsigned(asked: Asked, command: GivenCommand, good: GivenCommand) -> Outgoing:
    return signed(command, None)


def origin_alone(asked: Asked, command: GivenCommand, good: GivenCommand) -> Outgoing:
    record = signed(command, asked.signer("billing"))
    return replace(record, headers=record.headers[:-1])


def signed_twice(asked: Asked, command: GivenCommand, good: GivenCommand) -> Outgoing:
    record = signed(command, asked.signer("billing"))
    return replace(record, headers=(*record.headers, record.headers[-1]))


def made_up(asked: Asked, command: GivenCommand, good: GivenCommand) -> Outgoing:
    by = Signer(
        origin="billing", key_id="k1", ledger_id=asked.ledger_id, sign=sign_of(HMAC, b"guess" * 8)
    )
    return signed(command, by)


def by_nobody(asked: Asked, command: GivenCommand, good: GivenCommand) -> Outgoing:
    by = Signer(origin="nobody", key_id="k1", ledger_id=asked.ledger_id, sign=sign_of(HMAC, b"x"))
    return signed(command, by)


def altered(asked: Asked, command: GivenCommand, good: GivenCommand) -> Outgoing:
    """The headers of a good command with the value of another."""
    return replace(signed(command, None), headers=signed(good, asked.signer("portal")).headers)


def for_another_account(asked: Asked, command: GivenCommand, good: GivenCommand) -> Outgoing:
    """A good command's signature, for the same body in another account."""
    meta = replace(good.meta, account_id=command.meta.account_id, command_id=good.meta.command_id)
    moved = replace(good, meta=meta)
    return replace(signed(moved, None), headers=signed(good, asked.signer("billing")).headers)


def for_another_ledger(asked: Asked, command: GivenCommand, good: GivenCommand) -> Outgoing:
    elsewhere = replace(asked.signer("billing"), ledger_id="2b96594d-e31f-4cff-b7e1-c8a60d253753")
    return signed(command, elsewhere)


def for_another_topic(asked: Asked, command: GivenCommand, good: GivenCommand) -> Outgoing:
    by = asked.signer("portal")
    real_sign = by.sign

    def sign(text: bytes) -> bytes:
        return real_sign(text.replace(signing.COMMANDS_TOPIC.encode(), b"refunds.other.v1"))

    return signed(command, replace(by, sign=sign))


def by_a_key_that_has_ended(asked: Asked, command: GivenCommand, good: GivenCommand) -> Outgoing:
    return signed(command, asked.signer("former"))


def for_an_account_it_may_not_use(
    asked: Asked, command: GivenCommand, good: GivenCommand
) -> Outgoing:
    return signed(command, asked.signer("narrow"))


def a_command_it_may_not_give(asked: Asked, command: GivenCommand, good: GivenCommand) -> Outgoing:
    return signed(command, asked.signer("reader"))


def as_the_system(asked: Asked, command: GivenCommand, good: GivenCommand) -> Outgoing:
    actor = replace(command.meta.actor, role=Role.SYSTEM)
    pretending = replace(command, meta=replace(command.meta, actor=actor))
    return signed(pretending, asked.signer("billing"))


HMAC = Algorithm.HMAC_SHA256
FORGERIES: tuple[tuple[Forge, str], ...] = (
    (unsigned, "NOT_SIGNED"),
    (origin_alone, "NOT_SIGNED"),
    (signed_twice, "NOT_SIGNED"),
    (made_up, "WRONG_SIGNATURE"),
    (by_nobody, "UNKNOWN_ORIGIN"),
    (altered, "WRONG_SIGNATURE"),
    (for_another_account, "WRONG_SIGNATURE"),
    (for_another_ledger, "WRONG_SIGNATURE"),
    (for_another_topic, "WRONG_SIGNATURE"),
    (by_a_key_that_has_ended, "KEY_NOT_VALID"),
    (for_an_account_it_may_not_use, "NOT_ALLOWED"),
    (a_command_it_may_not_give, "NOT_ALLOWED"),
    (as_the_system, "NOT_ALLOWED"),
)


def test_of_ten_thousand_forged_commands_none_is_decided_and_every_good_one_is(
    asked: Asked,
) -> None:
    chance = Random(20_261_129)
    billing, portal = asked.signer("billing"), asked.signer("portal")
    opened = [opening(account(number), "open") for number in range(ACCOUNTS)]
    asked.publish([signed(each, billing) for each in opened])
    good = [standing(number, account(number)) for number in range(GOOD)]
    records = [(signed(each, chance.choice((billing, portal))), "") for each in good]
    for number in range(BAD):
        forge, reason = FORGERIES[number % len(FORGERIES)]
        command = given(f"bad-{number}", good[0].body, account=account(number + 1))
        near = good[number % GOOD]
        assert near.meta.account_id != command.meta.account_id or forge is not for_another_account
        records.append((forge(asked, command, near), reason))
    chance.shuffle(records)
    before = asked.tools.end_offsets(Topic.COMMANDS)
    asked.publish([record for record, _ in records])

    wanted = {(each.meta.account_id, each.meta.command_id): 1 for each in (*opened, *good)}
    assert asked.answered() == Counter(wanted)
    reasons: dict[int, list[str]] = {partition: [] for partition in range(PARTITIONS)}
    for record, reason in records:
        reasons[record.partition].append(reason)
    expected = {
        (partition, before[partition] + place): reason
        for partition, told in reasons.items()
        for place, reason in enumerate(told)
        if reason
    }
    assert len(expected) == BAD
    assert asked.set_aside() == expected
    assert proven(asked) == ()
    assert_no_secret_is_in(asked)


def proven(asked: Asked) -> tuple[object, ...]:
    """What the audit has to say, the check of origins among it."""
    running = asked.running
    ledger = Ledger(
        bootstrap=running.environment["KAFKA_BOOTSTRAP"],
        database_url=running.database_url,
        partition_count=PARTITIONS,
        prefix=running.environment["REFUNDS_PREFIX"],
        origins=asked.folder.path,
        security=running.kafka.security,
    )
    report = verified(ledger).log
    assert report is not None
    assert "ordered_by" in report.checks
    return report.divergences


def assert_no_secret_is_in(asked: Asked) -> None:
    """Logs, the table and the log of records hold no line of a key's file."""
    home = Path(asked.running.environment["REFUNDS_HOME"])
    keys = [*asked.folder.path.glob("keys/*/*.key")]
    assert len(keys) >= 6
    secrets = {
        line.encode()
        for path in keys
        for line in path.read_text().splitlines()
        if not line.startswith("-----")
    }
    files = [path for path in home.rglob("*") if path.is_file() and path not in keys]
    assert {path.suffix for path in files} >= {".log", ".jsonl"}
    for path in files:
        content = path.read_bytes()
        assert not [secret for secret in secrets if secret in content], path
    for topic in Topic:
        for record in asked.tools.replay(topic):
            carried = (record.value or b"", *(value for _, value in record.headers))
            assert not any(secret in each for each in carried for secret in secrets)


@pytest.mark.parametrize("name", ["billing", "portal"])
def test_keys_are_replaced_while_commands_come_and_none_is_lost(
    asked: Asked, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    first = asked.signer(name)
    asked.publish([signed(opening(account(0), "open"), first)])
    numbers = iter(range(10_000))

    def batch(*signers: Signer) -> list[Outgoing]:
        """Fifty commands, signed by turns."""
        return [
            signed(standing(next(numbers), account(0)), signers[place % len(signers)])
            for place in range(50)
        ]

    asked.tools.publish(batch(first))
    list(add_key(asked.folder, name, NewKey(), overlap=HOUR))
    second = asked.signer(name, "k2")
    asked.tools.publish(batch(first, second))
    list(add_key(asked.folder, "ledger", NewKey(), overlap=HOUR))
    asked.publish(batch(second, first))
    assert asked.set_aside() == {}
    list(end_keys(asked.folder, name, "k1"))
    asked.publish(batch(second))
    assert asked.set_aside() == {}
    assert set(asked.answered().values()) == {1}
    assert len(asked.answered()) == 1 + next(numbers)
    asked.publish(batch(first))
    assert Counter(asked.set_aside().values()) == {"KEY_NOT_VALID": 50}
    terminal = Terminal(capfd, monkeypatch)
    terminal.use({**asked.running.environment, "REFUNDS_ORIGINS": str(asked.folder.path)})
    (told,) = terminal.run("check-publisher", "--last", "1", "--json").objects
    assert [each["reason"] for each in told["faults"]] == ["KEY_NOT_VALID"]
    asked.publish(batch(second))
    (told,) = terminal.run("check-publisher", "--last", "1", "--json").objects
    assert (told["origin"], told["faults"], told["notes"]) == (f"{name}/k2", [], [])
    assert proven(asked) == ()
