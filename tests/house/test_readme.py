"""README's transcripts are what the commands print, and its SQL is what the demo runs."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest

from console.demo.closing import ZERO_SUM
from tests.house.tree import ROOT

README = (ROOT / "README.md").read_text("utf-8")
TRANSCRIPTS = re.findall(r"```console\n\$ refundctl (.+)\n((?:.*\n)*?)```", README)


@pytest.mark.parametrize(("words", "printed"), TRANSCRIPTS)
def test_a_transcript_is_what_the_command_prints(words: str, printed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "console.main", *shlex.split(words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == printed


def test_there_is_a_transcript() -> None:
    assert TRANSCRIPTS


def test_the_sum_of_all_postings_is_asked_for_as_the_demo_does() -> None:
    assert " ".join(ZERO_SUM.split()) in " ".join(README.split())
