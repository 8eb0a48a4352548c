"""Killed tests leave none of their processes behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from devstack.system.process_identity import alive, identity_of
from tests.house.tree import ROOT
from tests.waiting import wait_until

TESTS = """
import sys
from pathlib import Path
from time import sleep
from tests.console.forked import Forked

said = Path(sys.argv[1])
print(Forked(["0", "--bind", "127.0.0.1"], {}, said, module="http.server").pid, flush=True)
sleep(60)
"""


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
def test_a_process_ends_with_the_tests_that_started_it(
    sign: signal.Signals, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", TESTS, str(tmp_path / "said")]
    environment = {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout is not None
        forked = identity_of(int(tests.stdout.readline()))
        assert alive(forked)
        tests.send_signal(sign)
    wait_until(lambda: not alive(forked), "the end of the process")
