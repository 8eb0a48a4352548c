"""The tools that build and run each example; what is not there on a machine is told, not guessed.

A program is built in a folder of the test's own. What is fetched for it is kept beside the broker's
jars, in the cache of `REFUNDS_CACHE`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from devstack.kafka.jars import cache_folder
from tests.house.tree import ROOT

EXAMPLES = ROOT / "examples" / "publishers"
FETCH_SECONDS = 120
BUILD_SECONDS = 240
RUN_SECONDS = 120

CACHE = cache_folder() / "publishers"
UNREACHABLE = re.compile(
    r"ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ERR_SOCKET_TIMEOUT"  # npm
    r"|Failed to establish a new connection|Read timed out|ConnectTimeout"  # pip
    r"|Temporary failure in name resolution|Name or service not known"
    r"|dial tcp|i/o timeout|TLS handshake timeout"  # go
    r"|Could not transfer|No plugin found for prefix|Unknown host|Connection refused"  # Maven
    r"|[Cc]onnect(?:ion)? timed out"
    r"|\b50[234]\b.*(?:Bad Gateway|Unavailable|Gateway Time)"
)
"""What a tool says when its registry does not answer. Anything else it says is a fault of ours."""
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class NotHere(Exception):
    """A toolchain is not on this machine, or its registry does not answer: the reason why."""


class Toolchain(Struct, frozen=True, kw_only=True):
    """How one example is made and run. `needs` are programs with the oldest version that will do,
    and the question that makes them tell it.
    """

    language: str
    needs: Mapping[str, tuple[str, tuple[int, ...]]] = {}
    fetch: tuple[tuple[str, ...], ...]
    build: tuple[tuple[str, ...], ...] = ()
    run: tuple[str, ...]
    environment: Mapping[str, str] = {}


TOOLCHAINS = (
    Toolchain(
        language="python",
        fetch=(
            (sys.executable, "-m", "venv", "venv"),
            ("venv/bin/pip", "install", "-q", "--require-hashes", "-r", "requirements.txt"),
        ),
        run=("venv/bin/python", "publisher.py"),
        environment={"PIP_CACHE_DIR": str(CACHE / "pip")},
    ),
    Toolchain(
        language="java",
        needs={"java": ("-version", (17,)), "javac": ("-version", (17,)), "mvn": ("-v", (3, 6))},
        fetch=(
            (
                "mvn",
                "-B",
                "-q",
                "-U",
                "--strict-checksums",
                f"-Dmaven.repo.local={CACHE / 'maven'}",
                "dependency:copy-dependencies",
            ),
        ),
        run=("java", "-cp", "target/jars/*", "Publisher.java"),
    ),
    Toolchain(
        language="go",
        needs={"go": ("version", (1, 26))},
        fetch=(("go", "mod", "download"),),
        # Not optimised: that is half of the time, and the program is as right.
        build=(("go", "build", "-gcflags=all=-N -l", "-o", "publisher", "."),),
        run=("./publisher",),
        environment={
            "GOMODCACHE": str(CACHE / "go" / "modules"),
            "GOCACHE": str(CACHE / "go" / "builds"),
            "GOFLAGS": "-mod=readonly -modcacherw",
            "CGO_ENABLED": "0",
        },
    ),
    Toolchain(
        language="typescript",
        needs={"node": ("--version", (20, 19)), "npm": ("--version", (9,))},
        fetch=(("npm", "ci", "--no-audit", "--no-fund", "--cache", str(CACHE / "npm")),),
        build=(("npm", "run", "-s", "build"),),
        run=("node", "dist/publisher.js"),
    ),
)


class Program(Struct, frozen=True, kw_only=True):
    """An example that is ready to run."""

    toolchain: Toolchain
    folder: Path

    def run(self, account: str, environment: Mapping[str, str]) -> str:
        """What it prints; it must end well."""
        done = self.ended(account, environment, ROOT / "schemas")
        assert done.returncode == 0, _told(done)
        return done.stdout

    def ended(
        self, account: str, environment: Mapping[str, str], schemas: Path
    ) -> subprocess.CompletedProcess[str]:
        """How it ended, however that was."""
        where = {**environment, "SCHEMAS": str(schemas)}
        return _ran((*self.toolchain.run, account), self.folder, where, RUN_SECONDS)


def prepared(toolchain: Toolchain, folder: Path) -> Program:
    """Copy the example, fetch what it needs and build it. Raises NotHere."""
    for program, (question, oldest) in toolchain.needs.items():
        _require(program, question, oldest)
    shutil.copytree(EXAMPLES / toolchain.language, folder, dirs_exist_ok=True)
    CACHE.mkdir(parents=True, exist_ok=True)
    for command in toolchain.fetch:
        try:
            done = _ran(command, folder, toolchain.environment, FETCH_SECONDS)
        except subprocess.TimeoutExpired:
            raise NotHere(f"{command[0]} fetched nothing in {FETCH_SECONDS} s") from None
        refuse(command[0], done)
    for command in toolchain.build:
        done = _ran(command, folder, toolchain.environment, BUILD_SECONDS)
        assert done.returncode == 0, _told(done)
    return Program(toolchain=toolchain, folder=folder)


def refuse(tool: str, done: subprocess.CompletedProcess[str]) -> None:
    """NotHere where a fetch failed because nobody answered; AssertionError where it failed else."""
    if done.returncode == 0:
        return
    why = UNREACHABLE.search(done.stdout + done.stderr)
    if why is None:
        raise AssertionError(_told(done))
    raise NotHere(f"{Path(tool).name} reaches no registry: {why[0]}")


def _require(program: str, question: str, oldest: tuple[int, ...]) -> None:
    wanted = ".".join(map(str, oldest))
    if shutil.which(program) is None:
        raise NotHere(f"there is no {program} on PATH; it takes version {wanted} or newer")
    asked = subprocess.run([program, question], capture_output=True, text=True, check=False)
    found = re.search(r"\d+(\.\d+)*", COLOUR.sub("", asked.stdout + asked.stderr))
    if found is None or tuple(map(int, found[0].split("."))) < oldest:
        told = found[0] if found else "unknown"
        raise NotHere(f"{program} is version {told}; it takes {wanted} or newer")


def _ran(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], seconds: float
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def _told(done: subprocess.CompletedProcess[str]) -> str:
    return f"{done.args} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
