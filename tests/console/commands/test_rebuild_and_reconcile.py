"""`refundctl rebuild` and `reconcile` on a ledger that runs: compared, and told clearly."""

from __future__ import annotations

import sys
from pathlib import Path
from threading import Event

import psycopg
import pytest
import structlog
from prometheus_client import REGISTRY

from console.running.periodic_reconciliation import reconcile_once
from projector.views import VIEWS
from tests.console.golden_files import EXAMPLES
from tests.console.ledgers import RunningLedger
from tests.console.virtual_terminal import Terminal

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def sandbox(terminal: Terminal, sandbox_ledger: RunningLedger) -> Terminal:
    """A terminal on the module's ledger."""
    terminal.use(sandbox_ledger.environment)
    return terminal


def test_a_running_ledger_is_rebuilt_and_found_as_it_was(
    sandbox: Terminal, sandbox_ledger: RunningLedger, tmp_path: Path
) -> None:
    assert sandbox.run("submit", EXAMPLES / "02-ordinary-return.jsonl").code == 0
    ran = sandbox.run("rebuild", "--verify", "--json")
    assert (ran.code, ran.err) == (0, "")
    (found,) = ran.objects
    assert found["views"] == [view.TABLE.name for view in VIEWS]
    assert found["divergences"] == []
    assert 0 < found["events"] < sum(found["positions"].values())
    assert sandbox.run("submit", EXAMPLES / "06-postpaid.jsonl").code == 0
    alone, side_by_side = (
        sandbox.run("audit", "verify", "--jobs", jobs, "--json") for jobs in ("1", "2")
    )
    assert (alone.code, side_by_side.code) == (0, 0)
    assert {**alone.objects[0], "seconds": 0} == {**side_by_side.objects[0], "seconds": 0}

    place = tmp_path / "place.json"
    assert sandbox.run("audit", "verify", "--save", place).out == ""
    assert sandbox.run("submit", EXAMPLES / "01-five-days.jsonl").code == 0
    later = sandbox.run("audit", "verify", "--from", place, "--jobs", "2", "--json")
    assert later.objects[0]["divergences"] == []
    left_out = later.objects[0]["not_looked_at_again"]
    assert left_out["commands"] == alone.objects[0]["commands"] > later.objects[0]["commands"] > 0
    place.write_text(place.read_text().replace('"release": "', '"release": "x'))
    refused = sandbox.run("audit", "verify", "--from", place)
    assert (refused.code, refused.out) == (1, "")
    assert "the file was changed after the audit that wrote it" in refused.err
    missing = sandbox.run("audit", "verify", "--from", tmp_path / "none")
    assert (missing.code, missing.out) == (2, "")
    assert "No such file or directory; name the file that an audit wrote" in missing.err

    _drift(sandbox_ledger, "UPDATE read_models.balances SET gift = gift + 1")
    ran = sandbox.run("rebuild", "--view", "balances", "--verify")
    assert ran.code == 1
    assert "view balances rebuilt from" in ran.out
    assert "differs from the old table" in ran.out
    assert "balances: acct-" in ran.out
    assert sandbox.run("audit", "verify").code == 0


def test_drift_is_an_exit_code_a_metric_and_a_line(
    sandbox: Terminal, sandbox_ledger: RunningLedger
) -> None:
    assert sandbox.run("submit", EXAMPLES / "01-five-days.jsonl").code == 0
    ran = sandbox.run("reconcile")
    assert ran.code == 0
    assert f"equal to the log: {len(VIEWS)} views with " in ran.out
    reconcile_once(Event())
    assert REGISTRY.get_sample_value("refunds_read_models_drifted") == 0

    _drift(sandbox_ledger, "UPDATE read_models.refunds SET amount = amount + 1")
    (found,) = sandbox.run("reconcile", "--json").objects
    assert (found["agrees"], [each["view"] for each in found["divergences"]]) == (
        False,
        ["refunds"],
    )
    ran = sandbox.run("reconcile")
    assert ran.code == 1
    assert "refunds: acct-" in ran.out
    with structlog.testing.capture_logs() as lines:
        reconcile_once(Event())
    assert REGISTRY.get_sample_value("refunds_read_models_drifted") == 1
    (line,) = lines
    assert (line["event"], line["view"]) == ("read models differ from the log", "refunds")

    assert sandbox.run("rebuild", "--view", "refunds").code == 0
    assert sandbox.run("reconcile").code == 0
    reconcile_once(Event())
    assert REGISTRY.get_sample_value("refunds_read_models_drifted") == 0


def test_a_reconciliation_that_cannot_be_made_is_counted_and_not_taken_for_agreement() -> None:
    failed = REGISTRY.get_sample_value("refunds_reconciliations_failed_total") or 0
    with structlog.testing.capture_logs() as lines:
        reconcile_once(Event(), (sys.executable, "-c", "raise SystemExit('no broker answers')"))
    assert REGISTRY.get_sample_value("refunds_reconciliations_failed_total") == failed + 1
    assert lines[0]["reason"] == "no broker answers"


def _drift(ledger: RunningLedger, statement: str) -> None:
    with psycopg.connect(ledger.database_url) as connection:
        assert connection.execute(statement.encode()).rowcount > 0


def test_an_unknown_view_is_named_beside_those_there_are(sandbox: Terminal) -> None:
    ran = sandbox.run("rebuild", "--view", "refund")
    assert (ran.code, ran.out) == (2, "")
    assert "there is no view 'refund'; did you mean 'refunds'? (all: accounts, bal" in ran.err
