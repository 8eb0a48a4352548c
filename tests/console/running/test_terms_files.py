"""A running ledger decides by the terms that REFUNDS_TERMS names, and says so in its events."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.running.settings import read_settings
from console.running.stack_plan import ledger_plan
from devstack import Services, State, Status
from ledger.log.kafka import KafkaTools
from ledger.log.seam import Topic
from ledger.wire.avro.codec import decode_event
from tests import services as real
from tests.console.commands.test_quote import deal, given, new_account, opened, ordered
from tests.console.ledgers import running_ledger
from tests.console.virtual_terminal import Terminal

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Terms without a five-day refund, from the beginning of time."""
    file = tmp_path / "own.toml"
    file.write_text(
        'version = "own"\neffective_from = 1970-01-01T00:00:00Z\n'
        "[instances]\nfull_refunds_per_account = 0\n"
    )
    return file


def test_the_stack_is_told_and_remembers_where_the_terms_lie(
    terminal: Terminal, own: Path, tmp_path: Path
) -> None:
    terminal.use({"REFUNDS_TERMS": str(own)})
    plan = ledger_plan(read_settings(), None, sandbox=False)
    assert all(spec.env["REFUNDS_TERMS"] == str(own) for spec in plan.processes)

    terminal.use({"REFUNDS_TERMS": ""})
    home = tmp_path / "home"
    seen = Status(home=home, state=State.STOPPED, metadata=plan.metadata)
    again = ledger_plan(read_settings(), seen, sandbox=False)
    assert all(spec.env["REFUNDS_TERMS"] == str(own) for spec in again.processes)


def test_terms_that_cannot_be_read_keep_the_stack_from_starting(
    terminal: Terminal, own: Path
) -> None:
    own.write_text("version = 1")
    terminal.use({"REFUNDS_TERMS": str(own)})
    ran = terminal.run("up")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {own}: terms: the key 'effective_from' is missing")


@pytest.mark.integration
def test_a_ledger_decides_by_its_own_terms_and_is_audited_by_them(
    terminal: Terminal, services: Services, own: Path, tmp_path: Path
) -> None:
    terminal.use({"REFUNDS_TERMS": str(own)})
    with real.fresh_database(services.database_url) as url:
        folder = tmp_path / "ledger"
        folder.mkdir()
        with running_ledger(services.bootstrap, url, folder, sandbox=True) as ledger:
            terminal.use(ledger.environment)
            at = {"at": "2026-01-06T08:00:00Z"}
            account = given(terminal, new_account(), opened(), ordered(2026), **at)
            ran = deal(terminal, account, "instance-return", "i-1", "--yes")
            assert "terms     version own" in ran.out
            assert "ordinary_return" in ran.out

            tools = KafkaTools(ledger.kafka)
            terms = {decode_event(each.value).meta.terms for each in tools.replay(Topic.EVENTS)}
            tools.close()
            assert terms == {"", "own"}

            words = ("audit", "verify", "--check", "same_verdict", "--json")
            assert terminal.run(*words).code == 0
            terminal.use({"REFUNDS_TERMS": ""})
            ran = terminal.run(*words)
            assert ran.code == 1
            (divergence,) = json.loads(ran.out)["divergences"]
            assert "name others in REFUNDS_TERMS" in divergence["expected"]
            assert divergence["found"] == "'own'"
