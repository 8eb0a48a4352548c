"""`refundctl origins`: each act adds lines and key files, and a wrong one changes nothing."""

from __future__ import annotations

import hmac
import json
import subprocess
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest

from console.running.origins.key_files import key_file, read_key
from console.running.origins.origin_folder import TABLE, OriginFolder
from ledger.origins.table import Algorithm, Mode
from tests.console.virtual_terminal import Terminal
from tests.house.tree import ROOT

LEDGER = "2b96594d-e31f-4cff-b7e1-c8a60d253753"
ORDERS = ROOT / "examples" / "live" / "orders.jsonl"


@pytest.fixture
def folder(terminal: Terminal, tmp_path: Path) -> Path:
    """An empty folder of origins, of a home in which no ledger runs."""
    terminal.use({"REFUNDS_HOME": str(tmp_path), "COLUMNS": "200"})
    return tmp_path / "origins"


@pytest.fixture
def billing(terminal: Terminal, folder: Path) -> Path:
    """With one origin beside the ledger's own."""
    assert terminal.run("origins", "add", "billing", "--role", "BILLING").code == 0
    return folder


def lines_of(folder: Path) -> int:
    return len((folder / TABLE).read_text().splitlines())


def test_the_first_origin_brings_the_ledgers_own_with_it(billing: Path) -> None:
    table = OriginFolder(billing).history().newest
    assert {name: [*found.keys] for name, found in table.origins.items()} == {
        "ledger": ["k1"],
        "billing": ["k1"],
    }
    assert table.mode is Mode.OPEN


def test_a_new_key_is_in_a_file_for_its_owner_alone_and_nowhere_else(billing: Path) -> None:
    path = key_file(billing, "billing", "k1")
    assert path.stat().st_mode & 0o777 == 0o600
    secret = path.read_text().strip()
    assert len(bytes.fromhex(secret)) == 32
    assert secret not in (billing / TABLE).read_text()


def test_no_secret_is_printed(terminal: Terminal, billing: Path) -> None:
    said = [
        terminal.run("origins", *words)
        for words in (
            ("rotate", "billing"),
            ("add", "partner", "--role", "VENDOR", "--algorithm", "ed25519"),
            ("list",),
            ("list", "--json"),
            ("list", "--history"),
            ("list", "--history", "--json"),
            ("mode", "required"),
            ("revoke", "billing"),
            ("sign", str(ORDERS), "--ledger", LEDGER),
        )
    ]
    printed = "".join(each.out + each.err for each in said)
    for path in billing.glob("keys/*/*.key"):
        for line in path.read_text().splitlines():
            assert line.startswith("-----") or line not in printed


def test_a_private_key_may_stay_where_it_is(
    terminal: Terminal, billing: Path, tmp_path: Path
) -> None:
    private, public = tmp_path / "partner.key", tmp_path / "partner.pem"
    openssl = ("openssl", "genpkey", "-algorithm", "ed25519", "-out", str(private))
    subprocess.run(openssl, check=True, capture_output=True)
    told = ("openssl", "pkey", "-in", str(private), "-pubout", "-out", str(public))
    subprocess.run(told, check=True, capture_output=True)
    ran = terminal.run("origins", "add", "partner", "--role", "VENDOR", "--public-key", public)
    assert (ran.code, ran.err) == (0, "")
    assert "kept elsewhere" in ran.out
    found = OriginFolder(billing).history().newest.origins["partner"].keys["k1"]
    assert found.algorithm is Algorithm.ED25519
    assert not key_file(billing, "partner", "k1").exists()
    private.chmod(0o600)
    assert read_key("key", private)[0] is Algorithm.ED25519


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("add", "billing", "--role", "BILLING"), "there is an origin 'billing'"),
        (("add", "partner"), "no role is given"),
        (("add", "../x", "--role", "OWNER"), "origin '../x': a name has"),
        (("add", "x", "--key", "../../y", "--role", "OWNER"), "key '../../y': a name has"),
        (("add", "x", "--role", "SYSTEM"), "'ledger' has the role SYSTEM alone"),
        (("add", "x", "--role", "OWNER", "--command", "Pay"), "there is no command 'Pay'"),
        (("add", "x", "--role", "OWNER", "--from", "now"), "--from: not an RFC 3339 instant"),
        (("add", "x", "--role", "OWNER", "--public-key", "none.pem"), "--public-key none.pem: No"),
        (("add", "x", "--role", "OWNER", "--public-key", __file__), "not a public key of ed25519"),
        (("rotate", "nobody"), "there is no origin 'nobody'"),
        (("rotate", "billing", "--key", "k1"), "has a key 'k1', which never changes"),
        (("revoke", "billing", "--key", "k7"), "has no key 'k7'"),
        (("allow", "nobody", "--role", "OWNER"), "there is no origin 'nobody'"),
    ],
)
def test_a_wrong_act_changes_nothing(
    terminal: Terminal, billing: Path, words: tuple[str, ...], says: str
) -> None:
    before = (billing / TABLE).read_bytes()
    ran = terminal.run("origins", *words)
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err
    assert (billing / TABLE).read_bytes() == before
    assert not [*billing.parent.glob("**/y.key")]


def test_nothing_is_required_without_a_key_of_the_ledgers_own(
    terminal: Terminal, folder: Path
) -> None:
    ran = terminal.run("origins", "mode", "required")
    assert ran.code == 2
    assert "origin 'ledger' has no key" in ran.err


def test_a_key_ends_when_it_was_replaced_and_for_good_when_it_is_revoked(
    terminal: Terminal, billing: Path
) -> None:
    assert terminal.run("origins", "rotate", "billing", "--overlap-hours", "1").code == 0
    assert valid_keys(terminal) == ["k1", "k2"]
    third = terminal.run("origins", "rotate", "billing")
    assert third.code == 2
    assert "at most 2 may" in third.err
    assert terminal.run("origins", "revoke", "billing", "--key", "k1").code == 0
    assert valid_keys(terminal) == ["k2"]
    assert terminal.run("origins", "rotate", "billing").code == 0
    assert valid_keys(terminal) == ["k2", "k3"]
    assert terminal.run("origins", "revoke", "billing").code == 0
    assert valid_keys(terminal) == []
    none = terminal.run("origins", "revoke", "billing")
    assert (none.code, "no key that is still valid" in none.err) == (2, True)
    assert lines_of(billing) == 4 + 2 + 1 + 2 + 2


def valid_keys(terminal: Terminal, name: str = "billing") -> list[str]:
    (listed,) = terminal.run("origins", "list", "--json").objects
    keys = next(each["keys"] for each in listed["origins"] if each["origin"] == name)
    return [each["key"] for each in keys if each["valid_now"]]


def test_a_key_of_tomorrow_is_not_valid_today(terminal: Terminal, billing: Path) -> None:
    words = ("rotate", "billing", "--from", "2099-01-01T00:00:00Z")
    assert terminal.run("origins", *words).code == 0
    assert valid_keys(terminal) == ["k1"]
    assert "from 2099-01-01T00:00:00Z" in terminal.run("origins", "list").out
    assert "until 2099-01-02T00:00:00Z" in terminal.run("origins", "list").out


def test_other_rights_keep_the_keys(terminal: Terminal, billing: Path) -> None:
    words = ("--role", "OWNER", "--account", "eu-*", "--command", "ReturnInstance")
    assert terminal.run("origins", "allow", "billing", *words).code == 0
    (listed,) = terminal.run("origins", "list", "--json").objects
    found = next(each for each in listed["origins"] if each["origin"] == "billing")
    assert (found["roles"], found["commands"], found["accounts"]) == (
        ["OWNER"],
        ["ReturnInstance"],
        ["eu-*"],
    )
    assert [each["key"] for each in found["keys"]] == ["k1"]


def test_the_list_says_what_is_asked_of_commands(terminal: Terminal, billing: Path) -> None:
    assert terminal.run("origins", "list").out.startswith("open: nobody is asked")
    assert terminal.run("origins", "mode", "warn").code == 0
    assert terminal.run("origins", "list").out.startswith("warn: a command whose origin")
    assert "ledger (no ledger runs)" in terminal.run("origins", "list").out
    history = terminal.run("origins", "list", "--history").out.splitlines()
    assert [line.split("  ")[3] for line in history] == ["origin", "key", "origin", "key", "mode"]


def test_a_signed_command_can_be_verified_by_anybody_with_the_key(
    terminal: Terminal, billing: Path
) -> None:
    terminal.use(
        {
            "REFUNDS_ORIGIN": "billing/k1",
            "REFUNDS_ORIGIN_KEY_FILE": str(key_file(billing, "billing", "k1")),
        }
    )
    ran = terminal.run("origins", "sign", ORDERS, "--ledger", LEDGER)
    assert (ran.code, ran.err) == (0, "")
    commands = [json.loads(line) for line in ORDERS.read_text().splitlines()]
    assert len(ran.objects) == len(commands)
    secret = key_file(billing, "billing", "k1").read_text().strip().encode()
    for told, command in zip(ran.objects, commands, strict=True):
        lines = (
            "refunds-command-1",
            "refunds.commands.v1",
            LEDGER,
            "billing/k1",
            command["account"],
            command["id"],
            sha256(b64decode(told["value"])).hexdigest(),
        )
        assert told["signed"] == [*lines, ""]
        text = "".join(f"{line}\n" for line in lines).encode()
        signature = hmac.digest(secret, text, "sha256").hex()
        assert told["headers"]["refunds-signature"] == signature
        assert told["headers"]["refunds-origin"] == "billing/k1"


def test_nobody_signs_without_a_key(terminal: Terminal, billing: Path) -> None:
    ran = terminal.run("origins", "sign", ORDERS, "--ledger", LEDGER)
    assert (ran.code, ran.out) == (2, "")
    assert "nobody signs: set REFUNDS_ORIGIN" in ran.err


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"REFUNDS_ORIGIN": "billing/k1"}, "belong together"),
        ({"REFUNDS_ORIGIN_KEY_FILE": "x"}, "belong together"),
        ({"REFUNDS_ORIGIN": "billing", "REFUNDS_ORIGIN_KEY_FILE": "x"}, "not <origin>/<key id>"),
        ({"REFUNDS_ORIGIN": "billing/k1", "REFUNDS_ORIGIN_KEY_FILE": "x"}, "x: No such file"),
    ],
)
def test_half_an_origin_is_bad_input(
    terminal: Terminal, billing: Path, environment: dict[str, str], says: str
) -> None:
    terminal.use(environment)
    ran = terminal.run("origins", "sign", ORDERS, "--ledger", LEDGER)
    assert ran.code == 2
    assert says in ran.err
