"""The programs of the how-to verify what the ledger signs, and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from consumers.webhooks.signing import headers, secret_text
from ledger.values.instants import SECOND
from tests.house.tree import ROOT
from tests.publishers.toolchains import TOOLCHAINS, NotHere, prepared

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
PAGE = (ROOT / "docs" / "how-to" / "webhooks.md").read_text("utf-8")
SECRET, OTHER, OLD = b"s" * 32, b"o" * 32, b"p" * 32
BODY = '{"type":"RefundIssued","data":{"note":"退货退费"}}'.encode()
PYTHON = """
import sys
secret, name, sent, signature, body = sys.argv[1:]
told = {"webhook-id": name, "webhook-timestamp": sent, "webhook-signature": signature}
print(str(verified(secret, told, bytes.fromhex(body))).lower())
"""
JAVA = """
public class Main {
    %s
    public static void main(String[] a) throws Exception {
        var told = java.util.Map.of(
            "webhook-id", a[1], "webhook-timestamp", a[2], "webhook-signature", a[3]);
        System.out.println(verified(a[0], told, java.util.HexFormat.of().parseHex(a[4])));
    }
}
"""
GO = """
package main
import (
    "crypto/hmac"; "crypto/sha256"; "encoding/base64"; "encoding/hex"; "fmt"; "os"; "strconv"
    "strings"; "time"
)
%s
func main() {
    a := os.Args
    body, _ := hex.DecodeString(a[5])
    told := map[string]string{
        "webhook-id": a[2], "webhook-timestamp": a[3], "webhook-signature": a[4]}
    fmt.Println(verified(a[1], told, body))
}
"""
TYPESCRIPT = """
const [secret, id, sent, signature, body] = process.argv.slice(2);
const told = { "webhook-id": id, "webhook-timestamp": sent, "webhook-signature": signature };
console.log(verified(secret, told, Buffer.from(body, "hex")));
"""


def code(language: str) -> str:
    """The page's program in that language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def python(folder: Path) -> list[str]:
    (folder / "main.py").write_text(code("python") + PYTHON)
    return [sys.executable, str(folder / "main.py")]


def java(folder: Path) -> list[str]:
    need("javac")
    (folder / "Main.java").write_text(JAVA % code("java"))
    run(["javac", "Main.java"], folder)
    return ["java", "-cp", str(folder), "Main"]


def go(folder: Path) -> list[str]:
    need("go")
    (folder / "main.go").write_text(GO % code("go"))
    run(["go", "build", "-o", "main", "main.go"], folder)
    return [str(folder / "main")]


def typescript(folder: Path) -> list[str]:
    (toolchain,) = [each for each in TOOLCHAINS if each.language == "typescript"]
    try:
        prepared(toolchain, folder)
    except NotHere as why:
        pytest.skip(str(why))
    (folder / "main.mts").write_text(code("typescript") + TYPESCRIPT)
    options = ["--strict", "--target", "es2022", "--module", "nodenext", "--types", "node"]
    run(["node_modules/.bin/tsc", *options, "main.mts"], folder)
    return ["node", str(folder / "main.mjs")]


def need(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"there is no {program} here")


def run(words: list[str], folder: Path) -> str:
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("made", [python, java, go, typescript], ids=lambda each: each.__name__)
def test_a_program_takes_what_is_signed_and_refuses_what_is_not(
    made: Callable[[Path], list[str]], tmp_path: Path
) -> None:
    program = made(tmp_path)

    def verified(secrets: list[bytes], *, late: int = 0, body: bytes = BODY) -> str:
        now = int(time.time() + late) * SECOND
        told = list(headers("msg_1", now, BODY, secrets).values())
        return run([*program, secret_text(SECRET), *told, body.hex()], tmp_path)

    assert verified([SECRET]) == "true"
    assert verified([OTHER, SECRET]) == "true"
    assert verified([SECRET, OLD]) == "true"
    assert verified([OTHER, OLD]) == "false"
    assert verified([SECRET], body=BODY + b" ") == "false"
    assert verified([SECRET], late=-400) == "false"
    assert verified([SECRET], late=400) == "false"
