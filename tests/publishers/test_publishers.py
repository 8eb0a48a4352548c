"""Each example publisher, on a real ledger: what it prints, once and again, and what it leaves."""

from __future__ import annotations

import re
import shutil
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from console.running.origins.changes import EVERYBODY, NewKey, add_origin, set_mode
from console.running.origins.key_files import key_file
from console.running.origins.origin_folder import OriginFolder
from consumers.deciding.form import Form, form_of
from consumers.deciding.recording import Taker
from devstack import Services, destroy, start_services
from devstack.system.process_identity import myself
from ledger.log.kafka import KafkaTools, last_records, verify_world
from ledger.log.seam import Topic
from ledger.origins.table import Mode
from ledger.values.ids import murmur2, partition_of
from ledger.wire.avro.codec import decode_event
from tests import services as real
from tests.console.ledgers import RunningLedger, running_ledger
from tests.house.tree import ROOT
from tests.ledger.wire.avro.registry_server import running_registry
from tests.publishers.toolchains import TOOLCHAINS, NotHere, Program, Toolchain, prepared

PARTITIONS = 3
PYTHON = TOOLCHAINS[0]
TAKER = Taker(partition_count=PARTITIONS, sandbox=False)
PAGE = (ROOT / "docs" / "how-to" / "publish.md").read_text("utf-8")
ANSWERED = {"open": 1, "order-o-1": 1, "quote-i-1": 1, "return-i-1": 2, "return-i-1-again": 1}
"""How many events answer each command, however often it was sent."""
SENT = 12
"""Six commands in each of two runs."""


def printed_on_the_page() -> str:
    found = re.search(r"```console\n\$ java [^\n]+\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture(scope="module")
def services(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Open ones in any case: the examples leave out TLS and passwords, to be short."""
    if not real.SECURE:
        yield services
        return
    home = tmp_path_factory.mktemp("open")
    try:
        yield start_services(home, myself())
    finally:
        destroy(home)


@pytest.fixture(scope="module")
def ledger(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLedger]:
    """A ledger of which the decider alone runs: what stands in it comes from the examples."""
    with (
        real.fresh_database(services.database_url) as url,
        running_ledger(
            services.bootstrap,
            url,
            tmp_path_factory.mktemp("published"),
            sandbox=False,
            processes=("decider",),
            partitions=PARTITIONS,
            access={},
        ) as found,
    ):
        yield found


@pytest.fixture(scope="module", params=TOOLCHAINS, ids=lambda each: each.language)
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """An example, built; skipped where its tools or their registry are not there."""
    toolchain: Toolchain = request.param
    try:
        return prepared(toolchain, tmp_path_factory.mktemp(toolchain.language))
    except NotHere as why:
        pytest.skip(f"the {toolchain.language} publisher: {why}")


def account_of(program: Program) -> str:
    return f"acct-{program.toolchain.language}"


def answers(ledger: RunningLedger, account: str) -> Counter[str]:
    """How many events answer each command of the account."""
    tools = KafkaTools(ledger.kafka)
    try:
        events = [decode_event(found.value).meta for found in tools.replay(Topic.EVENTS)]
    finally:
        tools.close()
    return Counter(each.causation_id for each in events if each.account_id == account)


def forms(ledger: RunningLedger, taker: Taker = TAKER) -> list[Form]:
    """How the ledger sees each command that was published."""
    found = last_records(ledger.kafka, ledger.kafka.topic_name(Topic.COMMANDS), 10_000)
    assert found is not None
    taker = replace(taker, partition_count=found.partition_count)
    return [form_of(record, taker) for record in found.records]


def test_it_prints_what_the_page_shows_again_and_again_and_is_answered_once(
    ledger: RunningLedger, program: Program
) -> None:
    account = account_of(program)
    first = program.run(account, ledger.environment)
    again = program.run(account, ledger.environment)
    assert (first, again) == (printed_on_the_page(),) * 2
    assert answers(ledger, account) == ANSWERED
    sent = [each for each in forms(ledger) if each.meta and each.meta.account_id == account]
    assert [(each.faults, each.notes) for each in sent] == [((), ())] * SENT


def test_an_event_of_a_version_it_does_not_have_ends_it_with_a_sentence(
    ledger: RunningLedger, program: Program, tmp_path: Path
) -> None:
    schemas = tmp_path / "schemas"
    shutil.copytree(ROOT / "schemas", schemas)
    shutil.rmtree(schemas / "events" / "AccountOpened")
    done = program.ended(account_of(program), ledger.environment, schemas)
    assert (done.returncode, done.stdout) == (1, "")
    assert "an event whose schema is not in SCHEMAS" in done.stderr


@pytest.mark.parametrize("program", [PYTHON], indirect=True, ids=[PYTHON.language])
def test_python_frames_by_a_registry_and_reads_what_is_framed_so(
    services: Services, program: Program, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with (
        real.fresh_database(services.database_url) as url,
        running_registry() as registry,
        running_ledger(
            services.bootstrap,
            url,
            tmp_path_factory.mktemp("registered"),
            sandbox=False,
            processes=("decider",),
            schema_registry_url=registry.url,
            access={},
        ) as ledger,
    ):
        assert program.run("acct-python", ledger.environment) == printed_on_the_page()
        assert "refunds.commands.v1-refunds.commands.ReturnInstance" in registry.subjects
        tools = KafkaTools(ledger.kafka)
        values = [found.value or b"" for found in tools.replay(Topic.COMMANDS)]
        tools.close()
        assert {value[:1] for value in values} == {b"\x00"}


class Asking(NamedTuple):
    """A ledger of which every command must be signed."""

    ledger: RunningLedger
    folder: OriginFolder
    id: str


@pytest.fixture(scope="module")
def asking(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    home = tmp_path_factory.mktemp("signed")
    folder = OriginFolder(home / "table")
    list(add_origin(folder, "billing", EVERYBODY, NewKey()))
    list(set_mode(folder, Mode.REQUIRED))
    with (
        real.fresh_database(services.database_url) as url,
        running_ledger(
            services.bootstrap,
            url,
            home,
            sandbox=False,
            processes=("decider",),
            access={"REFUNDS_ORIGINS": str(folder.path)},
        ) as ledger,
    ):
        ledger_id = str(verify_world(ledger.kafka)[Topic.COMMANDS])
        yield Asking(ledger=ledger, folder=folder, id=ledger_id)


def test_it_signs_where_the_ledger_asks_who_gives_a_command(
    asking: Asking, program: Program
) -> None:
    signing = {
        "REFUNDS_ORIGIN": "billing/k1",
        "REFUNDS_ORIGIN_KEY_FILE": str(key_file(asking.folder.path, "billing", "k1")),
        "REFUNDS_LEDGER": asking.id,
    }
    account = account_of(program)
    printed = program.run(account, {**asking.ledger.environment, **signing})
    verifier = asking.folder.verifier(asking.id)
    seen = forms(asking.ledger, replace(TAKER, verifier=verifier))
    found = [each for each in seen if each.meta and each.meta.account_id == account]
    assert printed == printed_on_the_page()
    assert [(each.origin, each.faults, each.notes) for each in found] == [
        ("billing/k1", (), ())
    ] * (SENT // 2)


def test_the_accounts_tell_javas_partitions_from_those_of_other_hashes() -> None:
    """Librdkafka's default is a CRC-32, and one client's murmur2 keeps its sign bit."""
    python, typescript = b"acct-python", b"acct-typescript"
    assert partition_of(python, PARTITIONS) != zlib.crc32(python) % PARTITIONS
    assert partition_of(typescript, PARTITIONS) != murmur2(typescript) % PARTITIONS
