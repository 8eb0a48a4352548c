"""`refundctl people` and `refundctl serve` by HTTPS, as an operator gives them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
import requests

from devstack.certificates import authority, issue
from tests.console.forked import refundctl
from tests.console.ledgers import PROGRAM, RunningLedger

pytestmark = pytest.mark.timeout(300)


def password_file(folder: Path) -> str:
    file = folder / "password"
    file.write_text("correct horse battery staple")
    file.chmod(0o600)
    return str(file)


def test_people_have_what_is_their_own_and_a_code(
    live_ledger: RunningLedger, tmp_path: Path
) -> None:
    def people(*words: str) -> subprocess.CompletedProcess[str]:
        return refundctl(("people", *words), live_ledger.environment)

    file = ("--password-file", password_file(tmp_path))
    for words, why in (
        (("add", "shop", "--role", "buyer", *file), "--account"),
        (("add", "shop", "--role", "vendor", *file), "--vendor"),
        (("add", "shop", "--role", "finance", "--vendor", "v", *file), "--vendor"),
        (("add", "shop", "--role", "finance", "--buyer-id", "b", *file), "--buyer-id"),
        (("token", "shop", "--role", "buyer"), "--account"),
        (("totp", "nobody"), "nobody"),
    ):
        found = people(*words)
        assert (found.returncode, why in found.stderr) == (2, True), (words, found.stderr)
    done = people("add", "shop", "--role", "buyer", "--account", "eu-*", *file)
    assert done.returncode == 0, done.stderr
    assert people("totp", "shop").stdout.startswith("otpauth://totp/Refund%20ledger%3Ashop?secret=")
    listed = people("list").stdout
    assert "eu-*" in listed
    assert "and code" in listed
    assert people("totp", "shop", "--off").returncode == 0
    assert people("totp", "shop", "--off").returncode == 2


def test_a_name_is_ended_whether_it_is_known_or_not_and_may_be_let_in_again(
    live_ledger: RunningLedger, tmp_path: Path
) -> None:
    def people(*words: str) -> subprocess.CompletedProcess[str]:
        return refundctl(("people", *words), live_ledger.environment)

    ended = people("end", "somewhere-else")
    assert ended.stdout == (
        "somewhere-else signs in no more, in no way; ended: sessions 0, tokens 0; the name was not "
        "known here\n"
    )
    assert "somewhere-else" in people("list").stdout
    file = ("--password-file", password_file(tmp_path))
    for words, why in (
        (("token", "somewhere-else", "--role", "finance"), "end somewhere-else --undo"),
        (("add", "somewhere-else", "--role", "finance", *file), "the name was ended"),
        (("end", "nobody", "--may-return"), "nobody is named 'nobody'"),
        (("end", "nobody", "--undo"), "'nobody' was not ended"),
        (("end", "nobody", "--undo", "--may-return"), "give one of them"),
    ):
        found = people(*words)
        assert (found.returncode, why in found.stderr) == (2, True), (words, found.stderr)
    assert people("end", "somewhere-else", "--undo").stdout == "somewhere-else may sign in again\n"
    assert people("token", "somewhere-else", "--role", "finance").returncode == 0
    again = people("end", "somewhere-else", "--may-return").stdout
    assert again == "somewhere-else may sign in again; ended: sessions 0, tokens 1\n"


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1, and its key; the authority that signed it is `ca.pem`."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    issue(authority(folder), key, "console", hosts=("127.0.0.1",))
    own, begin, signed = key.read_text().partition("-----BEGIN CERTIFICATE")
    key.write_text(own)
    cert.write_text(begin + signed)
    return cert, key


def test_the_console_is_served_by_https(live_ledger: RunningLedger, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    known = str(tmp_path / "ca.pem")
    words = [*PROGRAM, "serve", "--port", "0", "--tls-cert", str(cert), "--tls-key", str(key)]
    serving = subprocess.Popen(
        words,
        env={**os.environ, **live_ledger.environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert serving.stderr is not None
        line = next(each for each in serving.stderr if "serving" in each)
        where = re.search(r"https://127\.0\.0\.1:\d+", line)
        assert where is not None, line
        found = requests.get(f"{where[0]}/livez", verify=known, timeout=60)
        assert found.headers["Strict-Transport-Security"] == "max-age=31536000"
        language = requests.get(f"{where[0]}/signin?lang=en", verify=known, timeout=60)
        assert "Secure" in language.headers["Set-Cookie"]
    finally:
        serving.terminate()
        serving.communicate(timeout=60)
    assert serving.returncode == -signal.SIGTERM


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--tls-cert", "cert.pem"), "belong together"),
        (("--tls-key", "key.pem"), "belong together"),
        (("--tls-cert", "cert.pem", "--tls-key", "open.pem"), "chmod 600"),
        (("--tls-cert", "key.pem", "--tls-key", "key.pem"), "--tls-cert"),
        (("--tls-cert", "none.pem", "--tls-key", "key.pem"), "--tls-cert"),
    ],
)
def test_half_of_a_certificate_is_refused(
    live_ledger: RunningLedger, tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    _, key = certificate(tmp_path)
    (tmp_path / "open.pem").write_bytes(key.read_bytes())
    (tmp_path / "open.pem").chmod(0o644)
    told = [str(tmp_path / each) if each.endswith(".pem") else each for each in words]
    found = refundctl(("serve", *told), live_ledger.environment)
    assert (found.returncode, why in found.stderr) == (2, True), found.stderr
