"""A person who asks for errors alone reads no warning of a library."""

from __future__ import annotations

import subprocess
import sys

import pytest

WARNED = """
import logging
from console.terminal.log_output import log_to_stderr
logging.getLogger("some_library").setLevel(logging.WARNING)
log_to_stderr({level!r}, json=False)
logging.getLogger("some_library").warning("told")
"""


@pytest.mark.parametrize(("level", "told"), [("error", False), ("info", True)])
def test_a_library_with_a_level_of_its_own_is_heard_where_warnings_are(
    level: str, told: bool
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WARNED.format(level=level)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ("told" in done.stderr) is told
