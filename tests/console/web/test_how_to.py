"""The examples of docs/how-to/http.md, as they stand there, get what stands below them."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests.house.tree import ROOT

pytestmark = pytest.mark.timeout(300)
PAGE = (ROOT / "docs" / "how-to" / "http.md").read_text("utf-8")
EXAMPLES = re.findall(r"```sh\n(.*?)```\n\n```text\n(.*?)```", PAGE, re.DOTALL)
SERVED = "http://127.0.0.1:8080"


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
def test_each_example_gets_what_stands_below_it(url: str) -> None:
    assert len(EXAMPLES) == PAGE.count("```sh") == 9
    for command, expected in EXAMPLES:
        assert SERVED in command
        done = subprocess.run(
            ["sh", "-c", command.replace(SERVED, url)],  # the shell of the reader
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        for line in expected.splitlines():
            assert line in done.stdout, (command, done.stdout)
