"""A stack that was secured once stays so, and each of its processes is a principal of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.running.ledger_locator import SECURED
from console.running.settings import read_settings
from console.running.stack_plan import ledger_plan, scaled
from devstack import Plan, State, Status
from ledger.log.access import read_matrix


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("REFUNDS_HOME", str(tmp_path))
    return tmp_path


def planned(seen: Status | None = None, *, secure: bool = False) -> Plan:
    return ledger_plan(read_settings(), seen, sandbox=False, secure=secure)


def test_each_process_connects_as_the_principal_of_its_name(home: Path) -> None:
    plan = planned(secure=True)
    assert {spec.name: spec.env["REFUNDS_KAFKA_PROPERTIES"] for spec in plan.processes} == {
        name: str(home / "security" / f"{name}.properties")
        for name in ("decider", "reactions", "projector", "webhooks")
    }
    assert plan.principals == read_matrix().at_brokers
    assert plan.prepare[0][-2:] == ("init", "--grant")
    assert {spec.name: spec.role for spec in plan.processes} == {
        "decider": "refunds_decider",
        "reactions": "refunds_deadlines",
        "projector": "refunds_projector",
        "webhooks": "refunds_webhooks",
    }
    assert plan.roles[0] == "refunds_operator"
    assert set(plan.roles) == {role.name for role in read_matrix().roles.values()}


def test_a_database_of_ones_own_keeps_its_user_and_its_rights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@db/ledger")
    plan = planned(secure=True)
    assert plan.roles == ()
    assert {spec.role for spec in plan.processes} == {None}
    assert plan.prepare[0][-3:] == ("init", "--grant", "--brokers-only")


def test_a_stack_that_was_secured_stays_so(home: Path) -> None:
    before = planned(secure=True)
    again = planned(Status(state=State.STOPPED, home=home, metadata=before.metadata))
    assert again.principals == before.principals
    assert again.metadata[SECURED] == "yes"


def test_a_stack_that_was_never_secured_is_open() -> None:
    plan = planned()
    assert (plan.principals, plan.roles) == ((), ())
    assert SECURED not in plan.metadata
    assert plan.prepare[0][-1] == "init"
    assert all("REFUNDS_KAFKA_PROPERTIES" not in spec.env for spec in plan.processes)


def test_the_pages_are_a_principal_of_their_own(home: Path) -> None:
    plan = ledger_plan(read_settings(), None, sandbox=False, secure=True, pages=True)
    (pages,) = (spec for spec in plan.processes if spec.name == "console")
    assert pages.role == "refunds_console"
    assert pages.env["REFUNDS_KAFKA_PROPERTIES"] == str(home / "security" / "console.properties")
    assert pages.port_variable == "REFUNDS_CONSOLE_PORT"
    kept, _ = scaled(plan, {"decider": 2})
    assert pages in kept
