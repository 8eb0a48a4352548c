"""Every kind of secret follows a master key that is replaced, and what is left is said."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import Connection, errors
from psycopg.conninfo import make_conninfo

from console.sealing.account_keys import AccountKeys
from console.sealing.master_key import OTHER, SETTING, MasterKey, bound_to_person
from console.sealing.rewrapping import Rewrapped, rewrap
from console.sealing.webhook_secrets import unwrapping, wrapping
from console.web.access import people, totp
from consumers.webhooks import keeping
from consumers.webhooks.table import WebhookTable
from ledger.log.access import read_matrix
from projector.rights.granting import grant
from tests.console.forked import refundctl
from tests.console.web.browser import PASSWORD
from tests.projector.rights.attempts import PASSWORD as ROLE_PASSWORD
from tests.projector.rights.attempts import give_passwords

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

OLD, NEW, STRANGE = b"o" * 32, b"n" * 32, b"s" * 32
REWRAP = ("secrets", "rewrap")


def keep(connection: Connection[Any], name: str, master: MasterKey | None) -> bytes:
    """One secret of each kind, under a master key; that of the second factor."""
    if master is not None:
        AccountKeys(connection, master).newest(name)
    keeping.add(connection, f"https://{name}.example/", (), lambda: (0,), wrapping(master))
    people.add(connection, name, PASSWORD, ["finance"])
    secret = people.enrol(connection, name, master)
    assert secret is not None
    return secret


def counted(found: Iterator[Rewrapped]) -> dict[str, tuple[int, int, int]]:
    return {each.name: (each.done, each.before, each.left) for each in found}


def signs_in(connection: Connection[Any], name: str, secret: bytes, master: MasterKey) -> bool:
    (now,) = connection.execute("SELECT extract(epoch FROM now())::bigint").fetchone() or (0,)
    code = totp.code_of(secret, now // totp.STEP_SECONDS)
    return people.sign_in(lambda: nullcontext(connection), name, PASSWORD, code, master) is not None


def hooks(connection: Connection[Any], master: MasterKey | None) -> int:
    """How many webhooks can sign with this master key."""
    unwrap, opened = unwrapping(master), 0
    for hook in WebhookTable(connection).hooks():
        try:
            opened += bool(unwrap(hook.hook_id, hook.secrets[0]))
        except ValueError:
            continue
    return opened


def test_every_kind_of_secret_opens_under_the_new_master_key_alone(
    connection: Connection[Any],
) -> None:
    old, both, new = MasterKey(OLD), MasterKey(NEW, OLD), MasterKey(NEW)
    secret = keep(connection, "anna", old)
    keep(connection, "made-meanwhile", both)
    keep(connection, "plain", None)
    assert counted(rewrap(connection, both)) == {
        "account_keys": (1, 1, 0),
        "webhook_secrets": (1, 1, 0),
        "second_factors": (1, 1, 0),
    }
    assert AccountKeys(connection, new).one("anna", 1)
    assert (hooks(connection, new), hooks(connection, old)) == (3, 1)
    assert signs_in(connection, "anna", secret, new)
    again = counted(rewrap(connection, both))
    assert set(again.values()) == {(0, 2, 0)}


def test_a_secret_under_neither_key_is_left_and_named_and_the_others_are_done(
    connection: Connection[Any],
) -> None:
    keep(connection, "anna", MasterKey(OLD))
    keep(connection, "zoe", MasterKey(STRANGE))
    found = list(rewrap(connection, MasterKey(NEW, OLD)))
    assert set(counted(iter(found)).values()) == {(1, 0, 1)}
    account, hook, person = (each.first_left for each in found)
    assert (account, person) == ("zoe 1", "zoe")
    assert hook.endswith(" 1")


def test_a_second_factor_that_is_changed_meanwhile_is_not_brought_back(
    url: str, connection: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(connection, "anna", MasterKey(OLD))
    both, rewrapped = MasterKey(NEW, OLD), MasterKey.rewrapped

    def ended_first(own: MasterKey, bound: bytes, wrapped: bytes) -> bytes | None:
        if bound == bound_to_person("anna"):
            with psycopg.connect(url, autocommit=True) as other:
                assert people.end_second_factor(other, "anna")
        return rewrapped(own, bound, wrapped)

    monkeypatch.setattr(MasterKey, "rewrapped", ended_first)
    assert counted(rewrap(connection, both))["second_factors"] == (0, 0, 0)
    assert not people.end_second_factor(connection, "anna")


def test_an_operator_may_do_it_and_reads_no_secret_that_is_not_wrapped(
    url: str, connection: Connection[Any]
) -> None:
    matrix = read_matrix()
    grant(connection, matrix)
    give_passwords(connection, [matrix.roles["operator"].name])
    keep(connection, "anna", MasterKey(OLD))
    keep(connection, "plain", None)
    as_operator = make_conninfo(url, user=matrix.roles["operator"].name, password=ROLE_PASSWORD)
    with psycopg.connect(as_operator, autocommit=True) as operator:
        assert counted(rewrap(operator, MasterKey(NEW, OLD))) == {
            "account_keys": (1, 0, 0),
            "webhook_secrets": (1, 0, 0),
            "second_factors": (1, 0, 0),
        }
        with pytest.raises(errors.InsufficientPrivilege):
            operator.execute("SELECT FROM webhooks.secrets")


@pytest.fixture
def environment(url: str, tmp_path: Path) -> Mapping[str, str]:
    def file(name: str, secret: bytes) -> str:
        path = tmp_path / name
        path.write_bytes(b64encode(secret) + b"\n")
        path.chmod(0o600)
        return str(path)

    return {
        "DATABASE_URL": url,
        "KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "REFUNDS_PARTITIONS": "1",
        SETTING: file("new", NEW),
        OTHER: file("old", OLD),
    }


def test_the_command_says_how_many_of_each_were_wrapped_anew_and_how_many_are_left(
    connection: Connection[Any], environment: Mapping[str, str]
) -> None:
    keep(connection, "anna", MasterKey(OLD))
    told = refundctl(REWRAP, environment)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.splitlines() == [
        "account keys: 1 wrapped anew, 0 before, 0 left",
        "webhook secrets: 1 wrapped anew, 0 before, 0 left",
        "second factors: 1 wrapped anew, 0 before, 0 left",
        f"restart all programs without {OTHER}, then destroy its file",
    ]
    told = refundctl((*REWRAP, "--json"), environment)
    each = {"wrapped": 0, "before": 1, "left": 0}
    assert json.loads(told.stdout) == {
        "account_keys": each,
        "webhook_secrets": each,
        "second_factors": each,
    }


def test_the_command_fails_and_names_one_where_some_are_left(
    connection: Connection[Any], environment: Mapping[str, str]
) -> None:
    keep(connection, "zoe", MasterKey(STRANGE))
    told = refundctl(REWRAP, environment)
    assert told.returncode == 1
    assert "account keys: 0 wrapped anew, 0 before, 1 left" in told.stdout
    assert "3 are left, such as account_keys zoe 1: " in told.stderr
    assert "destroy" not in told.stdout
    assert (
        json.loads(refundctl((*REWRAP, "--json"), environment).stdout)["second_factors"]["left"]
        == 1
    )
