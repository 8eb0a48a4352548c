"""The folder of origins is read again when it changes, and nobody else may read a key in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.running.ledger_locator import Ledger
from console.running.origins.changes import (
    EVERYBODY,
    GATEWAY,
    NewKey,
    add_key,
    add_origin,
    end_keys,
    start_required,
)
from console.running.origins.key_files import key_file, read_key
from console.running.origins.origin_folder import TABLE, OriginFolder
from console.running.origins.own_signature import (
    CONSOLE,
    OPERATOR,
    kept_origins,
    must_sign,
    signing_of,
)
from console.terminal.errors import BadInput
from ledger.origins.table import OWN, Algorithm, Mode

LEDGER_ID = "an id"


@pytest.fixture
def folder(tmp_path: Path) -> OriginFolder:
    found = OriginFolder(tmp_path / "origins")
    list(start_required(found))
    return found


def ledger(folder: OriginFolder) -> Ledger:
    return Ledger(bootstrap="", database_url="", partition_count=1, origins=folder.path)


def test_without_a_file_nobody_is_asked(tmp_path: Path) -> None:
    found = OriginFolder(tmp_path)
    assert found.verifier(LEDGER_ID) is None
    assert found.history().newest.mode is Mode.OPEN


def test_a_stack_that_is_secured_from_the_start_asks_for_signatures(folder: OriginFolder) -> None:
    table = folder.history().newest
    assert (table.mode, [*table.origins]) == (Mode.REQUIRED, [OWN, GATEWAY, OPERATOR, CONSOLE])
    assert list(start_required(folder)) == []
    assert folder.history().newest == table


def test_it_is_read_again_only_when_it_has_changed(folder: OriginFolder) -> None:
    first = folder.verifier(LEDGER_ID)
    assert first is not None
    assert folder.verifier(LEDGER_ID) is first
    list(add_key(OriginFolder(folder.path), GATEWAY, NewKey(), overlap=0))
    second = folder.verifier(LEDGER_ID)
    assert second is not None
    assert [*second.table.origins[GATEWAY].keys] == ["k1", "k2"]


def test_a_missing_secret_is_told_with_its_key(folder: OriginFolder) -> None:
    key_file(folder.path, GATEWAY, "k1").unlink()
    with pytest.raises(BadInput, match="the secret of key gateway/k1 is missing"):
        folder.verifier(LEDGER_ID)


def test_a_damaged_table_is_told_with_its_file(folder: OriginFolder) -> None:
    path = folder.path / TABLE
    path.write_text(path.read_text()[:-10])
    with pytest.raises(BadInput, match=r"origins\.jsonl: line 9: it has no end"):
        OriginFolder(folder.path).history()


def test_a_file_that_others_may_read_is_refused(folder: OriginFolder) -> None:
    path = key_file(folder.path, GATEWAY, "k1")
    path.chmod(0o640)
    with pytest.raises(BadInput, match="lets others read or change it"):
        folder.verifier(LEDGER_ID)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"too short\n", "a secret has at least 32 characters"),
        (b"-----BEGIN PRIVATE KEY-----\n", "not a private key of ed25519"),
    ],
)
def test_what_is_no_key_is_refused_without_its_content(
    tmp_path: Path, content: bytes, says: str
) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(BadInput, match=says) as refused:
        read_key("X", path)
    assert content.decode().strip() not in str(refused.value)


def test_who_publishes_signs_with_the_newest_key_that_is_here(folder: OriginFolder) -> None:
    signing = signing_of(ledger(folder), OPERATOR, lambda: LEDGER_ID)
    assert [(signer.origin, signer.key_id) for signer in [signing()] if signer] == [
        (OPERATOR, "k1")
    ]
    list(add_key(OriginFolder(folder.path), OPERATOR, NewKey(), overlap=10**9))
    signer = signing()
    assert signer is not None
    assert signer.key_id == "k2"
    list(end_keys(OriginFolder(folder.path), OPERATOR, "k2"))
    signer = signing()
    assert signer is not None
    assert signer.key_id == "k1"


def test_who_has_no_key_publishes_unsigned(folder: OriginFolder, tmp_path: Path) -> None:
    assert signing_of(ledger(folder), "nobody", lambda: LEDGER_ID)() is None
    nowhere = ledger(OriginFolder(tmp_path / "nowhere"))
    assert signing_of(nowhere, OPERATOR, lambda: LEDGER_ID)() is None


def test_a_process_ends_rather_than_send_unsigned_follow_ups(
    folder: OriginFolder, tmp_path: Path
) -> None:
    assert must_sign(ledger(OriginFolder(tmp_path / "nowhere")), OWN)() is None
    key_file(folder.path, OWN, "k1").unlink()
    with pytest.raises(BadInput, match="no valid key of origin 'ledger' is here"):
        must_sign(ledger(folder), OWN)


def test_an_audit_has_all_secrets_that_are_here(folder: OriginFolder) -> None:
    list(add_origin(folder, "partner", EVERYBODY, NewKey(algorithm=Algorithm.ED25519)))
    kept = kept_origins(ledger(folder))
    assert kept.history == folder.history()
    assert {*kept.secrets} == {(each, "k1") for each in (OWN, GATEWAY, OPERATOR, CONSOLE)}
