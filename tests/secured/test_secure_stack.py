"""`refundctl up --secure`: a whole ledger, each process with the rights of its own principal."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from httpx2 import Client
from kafka import KafkaAdminClient
from kafka.admin import (
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePatternFilter,
    ResourceType,
    ScramMechanism,
    UserScramCredentialDeletion,
)
from msgspec.structs import replace
from psycopg.conninfo import make_conninfo

from console.running.kafka_access import security_of_file
from console.running.ledger_locator import running_in
from console.running.origins.own_signature import signing_of
from consumers.follow_ups import command_record
from devstack import destroy, status
from devstack.certificates import authority, issue, write_secret
from devstack.kafka.security import (
    MECHANISMS,
    administrator_bootstrap,
    administrator_options,
    authority_file,
    client_file,
    password_of,
)
from devstack.postgres.security import ADMINISTRATOR, password_file
from ledger.log.access import read_matrix
from ledger.log.kafka import KafkaTools, verify_world
from ledger.log.kafka.client.security import KafkaSecurity, Protocol
from ledger.log.seam import LogUnavailable, Outgoing, Topic
from projector.rights.granting import differences
from tests.console.forked import refundctl
from tests.console.web.browser import BROWSER, PASSWORD, csrf_of, sign_in
from tests.console.web.test_api import OPENING, give
from tests.consumers.ledgers import START, given, opening
from tests.house.tree import ROOT
from tests.secured.broker import PRINCIPALS
from tests.waiting import wait_until

pytestmark = pytest.mark.integration

ROLES = tuple(role.name for role in read_matrix().roles.values())
FILE = str(ROOT / "examples" / "01-five-days.jsonl")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("stack") / "home"
    try:
        started = run(folder, "up", "--secure", "--sandbox")
        assert started.returncode == 0, started.stderr
        yield folder
    finally:
        destroy(folder)


def run(home: Path, *words: str, **told: str) -> subprocess.CompletedProcess[str]:
    return refundctl(words, {"REFUNDS_HOME": str(home), **told})


def tools_of(home: Path, principal: str) -> KafkaTools:
    """The stack's log, as that principal sees it."""
    ledger = running_in(status(home))
    security = security_of_file(client_file(home / "security", principal))
    return KafkaTools(replace(ledger, security=security).kafka)


def test_commands_are_decided_shown_proven_and_set_aside(home: Path) -> None:
    given = run(home, "submit", FILE)
    assert (given.returncode, "RefundIssued" in given.stdout) == (0, True), given.stderr
    garbage = Outgoing(topic=Topic.COMMANDS, partition=0, key=b"acct", value=b"garbage", headers=())
    gateway, operator = tools_of(home, "gateway"), tools_of(home, "operator")
    gateway.publish([garbage])
    letters = Topic.DEAD_LETTERS
    wait_until(lambda: any(operator.end_offsets(letters)), "the record to be set aside")
    gateway.close()
    operator.close()
    assert "no dead letters" not in run(home, "dlq", "list").stdout
    for words in (
        ("dlq", "discard", "--all", "--reason", "made up"),
        ("audit", "verify"),
        ("reconcile",),
    ):
        done = run(home, *words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("principal", "topic"),
    [
        *((principal, Topic.EVENTS) for principal in PRINCIPALS if principal != "decider"),
        ("decider", Topic.COMMANDS),
        ("projector", Topic.COMMANDS),
        ("auditor", Topic.COMMANDS),
    ],
)
def test_who_may_not_write_is_told_so_and_writes_nothing(
    home: Path, principal: str, topic: Topic
) -> None:
    tools, operator = tools_of(home, principal), tools_of(home, "operator")
    before = operator.end_offsets(topic)
    with pytest.raises(LogUnavailable, match=f"may not write to {topic}") as refused:
        tools.publish([Outgoing(topic=topic, partition=0, key=b"a", value=b"b", headers=())])
    assert "accepted 0 records" in str(refused.value)
    assert operator.end_offsets(topic) == before
    tools.close()
    operator.close()


def test_who_may_not_see_the_settings_of_topics_is_told_which_right_is_missing(home: Path) -> None:
    ledger = running_in(status(home))
    security = security_of_file(client_file(home / "security", "gateway"))
    with pytest.raises(LogUnavailable, match=r"refunds\.commands\.v1.*grant .* DESCRIBE_CONFIGS"):
        verify_world(replace(ledger, security=security).kafka)


def test_no_password_is_anywhere_but_in_its_principals_file(home: Path) -> None:
    folder = home / "security"
    files = [client_file(folder, principal) for principal in PRINCIPALS]
    secrets = {password_of(folder, path.stem).encode(): path for path in files}
    for role in (ADMINISTRATOR, *ROLES):
        path = password_file(folder, role)
        secrets[path.read_bytes().strip().rpartition(b":")[2]] = path
        files.append(path)
    assert len(secrets) == len(PRINCIPALS) + len(ROLES) + 1
    assert min(map(len, secrets)) > 30
    for path in [path for path in home.rglob("*") if path.is_file()]:
        content = path.read_bytes()
        assert [p for s, p in secrets.items() if s in content] == ([path] * (path in files))
    for process in psutil.process_iter(["cmdline"]):
        words = " ".join(process.info["cmdline"] or ()).encode()
        assert not any(secret in words for secret in secrets)
    assert {path.stat().st_mode & 0o077 for path in files} == {0}


def test_a_secured_stack_says_so(home: Path) -> None:
    assert json.loads(run(home, "status", "--json").stdout)["secured"] is True
    assert "secured: TLS, passwords and access rights\n" in run(home, "status").stdout


def test_a_certificate_of_the_authority_is_the_principal_of_its_name(
    home: Path, tmp_path: Path
) -> None:
    folder, own = home / "security", tmp_path / "auditor.pem"
    issue(authority(folder), own, "auditor")
    security = KafkaSecurity(
        protocol=Protocol.SSL, ca_file=authority_file(folder), certificate_file=own
    )
    ledger = running_in(status(home))
    at = replace(ledger, bootstrap=administrator_bootstrap(folder), security=security)
    tools = KafkaTools(at.kafka)
    assert any(tools.end_offsets(Topic.EVENTS))
    with pytest.raises(LogUnavailable, match=f"may not write to {Topic.EVENTS}"):
        tools.publish([Outgoing(topic=Topic.EVENTS, partition=0, key=b"a", value=b"b", headers=())])
    tools.close()


def test_each_process_is_its_own_role_in_the_database(home: Path) -> None:
    with psycopg.connect(running_in(status(home)).database_url) as connection:
        assert connection.info.user == "refunds_operator"
        assert connection.info.pgconn.ssl_in_use
        rows = connection.execute(
            "SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = current_database()"
        ).fetchall()
    assert {name for (name,) in rows} == {
        "refunds_operator",
        "refunds_projector",
        "refunds_deadlines",
        "refunds_decider",
        "refunds_webhooks",
        "refunds_console",
    }


def test_read_models_are_rebuilt_and_no_right_is_lost(home: Path) -> None:
    done = run(home, "rebuild", "--verify")
    assert done.returncode == 0, done.stderr
    folder, url = home / "security", running_in(status(home)).database_url
    admin = make_conninfo(
        url, user=ADMINISTRATOR, passfile=str(password_file(folder, ADMINISTRATOR))
    )
    with psycopg.connect(admin) as connection:
        assert differences(connection, read_matrix()).count == 0


def test_who_may_not_is_told_by_which_right(home: Path) -> None:
    folder, url = home / "security", running_in(status(home)).database_url
    finance = make_conninfo(
        url, user="finance_ro", passfile=str(password_file(folder, "finance_ro"))
    )
    told = run(
        home,
        "reconcile",
        DATABASE_URL=finance,
        KAFKA_BOOTSTRAP=str(status(home).bootstrap),
        REFUNDS_KAFKA_PROPERTIES=str(client_file(folder, "auditor")),
    )
    assert told.returncode == 1
    assert "the database refuses this role: permission denied for schema" in told.stderr


@pytest.fixture
def pages(home: Path, tmp_path: Path) -> Iterator[Client]:
    """The pages of the stack, with an operator signed in."""
    name, secret = f"anna-{uuid.uuid4().hex[:8]}", tmp_path / "password"
    write_secret(secret, PASSWORD.encode())
    added = run(home, "people", "add", name, "--role", "operator", "--password-file", str(secret))
    assert added.returncode == 0, added.stderr
    (port,) = (each.port for each in status(home).processes if each.name == "console")
    with Client(
        base_url=f"http://127.0.0.1:{port}", headers=BROWSER, timeout=60, follow_redirects=True
    ) as client:
        sign_in(client, name)
        yield client


def misplaced(home: Path, account: str) -> str:
    """A signed command that upstream billing puts on a wrong partition; the letter's name."""
    ledger = running_in(status(home))
    sign = signing_of(replace(ledger, own_origin=None), "gateway")()
    opened = given("c-1", opening().body, account=account, sandbox_at=START)
    right = command_record(opened, ledger.partition_count, sign)
    gateway = tools_of(home, "gateway")
    wrong = replace(right, partition=(right.partition + 1) % ledger.partition_count)
    (at,) = gateway.publish([wrong])
    gateway.close()
    return f"{at.partition}:{at.offset}"


def redriven(pages: Client, letter: str) -> str:
    """Sends a letter to the decider again by its page; what the page says."""
    told: list[str] = []

    def shown() -> bool:
        told[:] = [pages.get(f"/work/letters/{letter}").text]
        return "Send it to the decider again" in told[0]

    wait_until(shown, f"the page of letter {letter}")
    form = {"letter": letter, "csrf": csrf_of(told[0]), "reason": "its partition"}
    return pages.post("/work/letters/redrive", data=form).text


def outcomes(home: Path, account: str) -> list[str]:
    """The names of an account's events."""
    with psycopg.connect(running_in(status(home)).database_url) as connection:
        rows: list[tuple[str]] = connection.execute(
            "SELECT event_name FROM read_models.outcomes WHERE account_id = %s", (account,)
        ).fetchall()
    return [name for (name,) in rows]


def test_an_operator_sends_a_dead_letter_again_by_the_pages_and_it_is_decided(
    home: Path, pages: Client
) -> None:
    account = f"acct-{uuid.uuid4().hex[:8]}"
    letter = misplaced(home, account)
    told = redriven(pages, letter)
    assert f"Letter {letter} was sent again" in told, told
    wait_until(lambda: outcomes(home, account) == ["AccountOpened"], "the outcome")


def test_the_pages_give_a_command_and_show_its_record_and_its_events(
    home: Path, pages: Client
) -> None:
    account = f"acct-{uuid.uuid4().hex[:8]}"
    token = run(home, "people", "token", "billing", "--role", "gateway").stdout.strip()
    key = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    told = give(pages, account, "OpenAccount", OPENING, "c-1", **key)
    assert told.status_code in {200, 201}, told.text
    with psycopg.connect(running_in(status(home)).database_url) as connection:
        row = connection.execute(
            "SELECT partition, log_sequence FROM read_models.outcomes WHERE account_id = %s",
            (account,),
        ).fetchone()
    assert row is not None
    found = pages.get(f"/v1/events/{row[0]}/numbers/{row[1]}", headers=key)
    assert '"c-1"' in json.dumps(found.json()["command"]), found.text


@pytest.fixture
def of_an_earlier_release(home: Path) -> Path:
    """The same home as an earlier release left it: without a principal `console`."""
    folder = home / "security"
    admin: Any = KafkaAdminClient(
        bootstrap_servers=administrator_bootstrap(folder), **administrator_options(folder)
    )
    everything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
    own = ACLFilter("User:console", None, ACLOperation.ANY, ACLPermissionType.ANY, everything)
    made = ScramMechanism[MECHANISMS[0].replace("-", "_")]
    try:
        ((_, removed, _),) = admin.delete_acls([own])
        assert removed
        admin.alter_user_scram_credentials([UserScramCredentialDeletion("console", made)])
    finally:
        admin.close()
    assert run(home, "down").returncode == 0
    client_file(folder, "console").unlink()
    return home


def test_a_stack_of_an_earlier_release_gets_the_principal_at_its_next_start(
    of_an_earlier_release: Path, request: pytest.FixtureRequest
) -> None:
    home = of_an_earlier_release
    started = run(home, "up", "--sandbox")
    assert started.returncode == 0, started.stderr
    account = f"acct-{uuid.uuid4().hex[:8]}"
    letter = misplaced(home, account)
    told = redriven(request.getfixturevalue("pages"), letter)
    assert f"Letter {letter} was sent again" in told, told
