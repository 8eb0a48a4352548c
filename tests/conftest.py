"""What all tests share: real services once per run, a database per test, and an honest count."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devstack import Services, destroy
from devstack.system.process_identity import identity_of, myself
from tests import services as real
from tests.order import places

HOME = pytest.StashKey[Path]()
OWNER = pytest.StashKey[int]()
TALLY = pytest.StashKey["Tally"]()
CLAIMED = ("services", "database")


class Tally:
    """How many tests needed real services, and what became of them."""

    def __init__(self) -> None:
        self.ran = 0
        self.failed_before_running = 0
        self.reasons: dict[str, int] = {}
        self.versions = ""

    def add(self, report: pytest.TestReport) -> None:
        """Count one report of a test that needs the services."""
        if report.skipped:
            _, _, reason = report.longrepr if isinstance(report.longrepr, tuple) else ("", 0, "")
            reason = str(reason).removeprefix("Skipped: ") or "expected to fail"
            self.reasons[reason] = self.reasons.get(reason, 0) + 1
        elif report.when == "call":
            self.ran += 1
        elif report.when == "setup" and report.failed:
            self.failed_before_running += 1


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--services",
        choices=real.KINDS,
        default="embedded",
        help="where the broker and the database come from (default: embedded)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """The controller of a distributed run keeps one home; its workers share what runs in it.

    A job in a shell's background ignores Ctrl-C, and so would every command that a test starts.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    given = getattr(config, "workerinput", None)
    config.stash[TALLY] = Tally()
    config.stash[HOME] = Path(given["home"] if given else tempfile.mkdtemp(prefix="refunds-test-"))
    config.stash[OWNER] = given["owner"] if given else myself().pid


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["home"] = str(node.config.stash[HOME])
    node.workerinput["owner"] = node.config.stash[OWNER]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    output = getattr(node, "workeroutput", None) or {}
    node.config.stash[TALLY].versions = output.get("versions") or node.config.stash[TALLY].versions


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["versions"] = session.config.stash[TALLY].versions


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        destroy(config.stash[HOME])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if not set(CLAIMED).isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.integration)
    if hasattr(config, "workerinput"):
        on_services = {file_of(each) for each in items if each.get_closest_marker("integration")}
        place = places([file_of(each) for each in items], on_services)
        items.sort(key=lambda item: place[file_of(item)])


def file_of(item: pytest.Item) -> str:
    """The file of a test, all of which `loadfile` gives to one worker."""
    return item.nodeid.partition("::")[0]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """The closing lines: how many tests ran against real services, and which did not, and why."""
    tally, kind = Tally(), config.getoption("services")
    tally.versions = config.stash[TALLY].versions
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and "integration" in report.keywords:
                tally.add(report)
    skipped = sum(tally.reasons.values())
    against = f" against {tally.versions or 'services of their own'}" if tally.ran else ""
    line = f"real services ({kind}): {tally.ran} tests ran{against}; {skipped} skipped"
    if tally.failed_before_running:
        line += f"; {tally.failed_before_running} broke before they ran"
    terminalreporter.write_line(line, bold=True)
    for reason, count in tally.reasons.items():
        terminalreporter.write_line(f"  NOT RUN: {count} tests: {reason}", yellow=True)


@pytest.fixture(scope="session")
def services(pytestconfig: pytest.Config) -> Iterator[Services]:
    """A real broker and a real database, one of each for the whole run."""
    owner = identity_of(pytestconfig.stash[OWNER])
    assert owner is not None
    kind = pytestconfig.getoption("services")
    with real.opened(kind, pytestconfig.stash[HOME], owner) as found:
        pytestconfig.stash[TALLY].versions = real.versions(kind, found)
        yield found


@pytest.fixture
def database(services: Services) -> Iterator[str]:
    """The URL of a database of the test's own."""
    with real.fresh_database(services.database_url) as url:
        yield url
