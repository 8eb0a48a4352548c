"""A toolchain or registry that is not there is told; a program that is wrong fails."""

from __future__ import annotations

from pathlib import Path
from subprocess import CompletedProcess

import pytest
from msgspec.structs import replace

from tests.publishers.toolchains import TOOLCHAINS, NotHere, prepared, refuse

GO = next(each for each in TOOLCHAINS if each.language == "go")

UNREACHED = {
    "pip": "Failed to establish a new connection: [Errno 111] Connection refused')': /simple/x/",
    "npm": "npm error code ENOTFOUND\nnpm error syscall getaddrinfo",
    "go": 'go: x@v1: Get "http://h/x.mod": dial tcp: lookup h: no such host',
    "mvn": "Could not transfer artifact g:a:pom:1 from/to x: Unknown host h",
}
WRONG = {
    "pip": "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
    "npm": "npm error code EUSAGE\nnpm error `npm ci` can only install packages when in sync.",
    "go": "go: updates to go.mod needed; to update it: go mod tidy",
    "mvn": "Could not find artifact org.apache.avro:avro:jar:0.0 in central",
}


def ended(tool: str, told: str) -> CompletedProcess[str]:
    return CompletedProcess([tool], 1, "", told)


@pytest.mark.parametrize(("tool", "told"), UNREACHED.items(), ids=[*UNREACHED])
def test_a_registry_that_does_not_answer_is_told(tool: str, told: str) -> None:
    with pytest.raises(NotHere, match=f"{tool} reaches no registry"):
        refuse(f"/usr/bin/{tool}", ended(tool, told))


@pytest.mark.parametrize(("tool", "told"), WRONG.items(), ids=[*WRONG])
def test_a_registry_that_answers_no_fails(tool: str, told: str) -> None:
    with pytest.raises(AssertionError, match="ended with 1"):
        refuse(tool, ended(tool, told))


def test_a_tool_that_is_not_there_is_told(tmp_path: Path) -> None:
    needs = replace(GO, needs={"no-such-go": ("version", (1, 26))})
    with pytest.raises(NotHere, match="there is no no-such-go on PATH"):
        prepared(needs, tmp_path)


def test_a_tool_that_is_too_old_is_told(tmp_path: Path) -> None:
    needs = replace(GO, needs={"python3": ("--version", (99, 1))})
    with pytest.raises(NotHere, match=r"python3 is version 3\.\d+\.\d+; it takes 99\.1 or newer"):
        prepared(needs, tmp_path)


def test_a_program_that_cannot_be_built_fails(tmp_path: Path) -> None:
    broken = replace(GO, needs={}, fetch=(), build=(("false",),))
    with pytest.raises(AssertionError, match="ended with 1"):
        prepared(broken, tmp_path)
