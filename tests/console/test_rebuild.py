"""`refundctl rebuild` on a ledger that runs: all views or one, compared, and told clearly."""

from __future__ import annotations

import psycopg
import pytest

from projector.views import VIEWS
from tests.console.golden_files import EXAMPLES
from tests.console.ledgers import RunningLedger
from tests.console.terminal import Terminal

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def sandbox(terminal: Terminal, sandbox_ledger: RunningLedger) -> Terminal:
    """A terminal on the module's ledger."""
    terminal.use(sandbox_ledger.environment)
    return terminal


def test_a_running_ledger_is_rebuilt_and_found_as_it_was(
    sandbox: Terminal, sandbox_ledger: RunningLedger
) -> None:
    assert sandbox.run("submit", EXAMPLES / "02-ordinary-return.jsonl").code == 0
    ran = sandbox.run("rebuild", "--verify", "--json")
    assert (ran.code, ran.err) == (0, "")
    (found,) = ran.objects
    assert found["views"] == [view.TABLE.name for view in VIEWS]
    assert found["divergences"] == []
    assert 0 < found["events"] < sum(found["positions"].values())
    assert sandbox.run("submit", EXAMPLES / "06-postpaid.jsonl").code == 0
    assert sandbox.run("audit", "verify").code == 0

    _drift(sandbox_ledger, "UPDATE read_models.balances SET gift = gift + 1")
    ran = sandbox.run("rebuild", "--view", "balances", "--verify")
    assert ran.code == 1
    assert "view balances rebuilt from" in ran.out
    assert "differs from what was live" in ran.out
    assert "balances: acct-" in ran.out
    assert sandbox.run("audit", "verify").code == 0


def _drift(ledger: RunningLedger, statement: str) -> None:
    with psycopg.connect(ledger.database_url) as connection:
        assert connection.execute(statement.encode()).rowcount > 0


def test_an_unknown_view_is_named_beside_those_there_are(sandbox: Terminal) -> None:
    ran = sandbox.run("rebuild", "--view", "refund")
    assert (ran.code, ran.out) == (2, "")
    assert "no view is called 'refund'; did you mean 'refunds'? (all: accounts, bal" in ran.err
