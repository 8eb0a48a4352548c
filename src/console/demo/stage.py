"""The demonstration's stack: started for it, and stopped and deleted afterwards unless kept."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from console.running.settings import Settings
from console.running.stack_plan import ledger_plan
from console.terminal.errors import BadInput
from devstack import State, Status, destroy, down, status, up
from devstack.system.process_identity import myself


@contextmanager
def staged(settings: Settings, *, keep: bool) -> Iterator[Status]:
    """A running sandbox: in a temporary home that is deleted, or kept in REFUNDS_HOME.

    If the demonstration ends early, also by Ctrl-C or SIGTERM, the stack is stopped too. If this
    process is killed, a temporary stack notices that its owner has ended, and stops.
    """
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    if keep:
        with _kept(settings) as found:
            yield found
        return
    with tempfile.TemporaryDirectory(prefix="refunds-demo-") as spare:
        home = Path(spare) / "home"
        try:
            plan = ledger_plan(settings, None, sandbox=True, durable=False, owner=myself())
            yield up(home, plan)
        finally:
            destroy(home)


@contextmanager
def _kept(settings: Settings) -> Iterator[Status]:
    home = settings.home_folder
    if status(home).state is not State.ABSENT:
        raise BadInput(
            f"{home} already has a ledger, and the example needs a new one; set REFUNDS_HOME to a "
            "new folder, or leave out --keep (KEEP=1)"
        )
    try:
        yield up(home, ledger_plan(settings, None, sandbox=True, pages=True))
    except BaseException:
        down(home)
        raise
