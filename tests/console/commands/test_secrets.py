"""`refundctl secrets`: the files of a secured cluster, and what is said when they are not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from console.running.kafka_access import security_of_file
from devstack.certificates import hosts_of
from devstack.kafka.security import (
    administrator_bootstrap,
    authority_file,
    certificate,
    client_file,
    password_of,
    principals_in,
)
from ledger.log.access import read_matrix
from tests.console.virtual_terminal import Terminal

PRINCIPALS = read_matrix().at_brokers

MAKE = ("secrets", "make", "--bootstrap", "kafka:9094", "--host", "kafka", "--host", "127.0.0.1")


def test_make_writes_what_brokers_and_every_principal_need(
    terminal: Terminal, tmp_path: Path
) -> None:
    folder = tmp_path / "made"
    assert terminal.run(*MAKE, "--folder", str(folder)).code == 0
    assert principals_in(folder) == tuple(sorted(PRINCIPALS))
    assert hosts_of(certificate(folder)) == ("kafka", "127.0.0.1")
    assert administrator_bootstrap(folder) == "kafka:9094"
    assert len({password_of(folder, principal) for principal in PRINCIPALS}) == len(PRINCIPALS)
    for principal in PRINCIPALS:
        assert security_of_file(client_file(folder, principal)).user == principal


def test_made_again_only_the_brokers_certificate_is_new(terminal: Terminal, tmp_path: Path) -> None:
    def content(folder: Path) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    folder = tmp_path / "made"
    terminal.run(*MAKE, "--folder", str(folder))
    first = content(folder)
    terminal.run(*MAKE, "--folder", str(folder))
    second = content(folder)
    assert {name for name in first | second if first.get(name) != second.get(name)} == {
        certificate(folder).name
    }


def test_made_again_a_principal_of_a_new_release_gets_its_file(
    terminal: Terminal, tmp_path: Path
) -> None:
    folder = tmp_path / "made"
    terminal.run(*MAKE, "--folder", str(folder))
    client_file(folder, "console").unlink()
    before = password_of(folder, "gateway")
    assert terminal.run(*MAKE, "--folder", str(folder)).code == 0
    assert len(password_of(folder, "console")) > 30
    assert password_of(folder, "gateway") == before


def test_each_file_is_readable_by_its_owner_alone(terminal: Terminal, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    own = f"decider={os.getuid()}"
    assert terminal.run(*MAKE, "--folder", str(folder), "--owner", own).code == 0
    assert folder.stat().st_mode & 0o777 == 0o755
    readable = {path for path in folder.iterdir() if path.stat().st_mode & 0o077}
    assert readable == {authority_file(folder)}
    assert client_file(folder, "decider").stat().st_uid == os.getuid()


@pytest.mark.parametrize("told", ["decider", "decider=root", "=1"])
def test_an_owner_that_is_none_is_told(terminal: Terminal, tmp_path: Path, told: str) -> None:
    ran = terminal.run(*MAKE, "--folder", str(tmp_path / "made"), "--owner", told)
    assert (ran.code, ran.err) == (
        2,
        f"error: --owner {told}: write NAME=UID, as in decider=10001\n",
    )


@pytest.mark.parametrize(
    "words", [("users",), ("password", "decider"), ("certificate",), ("drop-old-passwords",)]
)
def test_a_folder_without_certificates_is_told(
    terminal: Terminal, tmp_path: Path, words: tuple[str, ...]
) -> None:
    ran = terminal.run("secrets", *words, "--folder", str(tmp_path))
    assert ran.code == 2
    assert "has no certificates; name the folder of a secured cluster with --folder" in ran.err


def test_a_principal_that_is_not_there_is_told(terminal: Terminal, tmp_path: Path) -> None:
    terminal.run(*MAKE, "--folder", str(tmp_path / "made"))
    ran = terminal.run("secrets", "password", "nobody", "--folder", str(tmp_path / "made"))
    assert ran.code == 1
    assert "nobody.properties is not there: name another principal" in ran.err
