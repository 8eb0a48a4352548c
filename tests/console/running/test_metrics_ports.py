"""Each process of a stack serves its metrics on a port of its own, unless they are off."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.running.process_counts import PROCESSES
from console.running.settings import read_settings
from console.running.stack_plan import ledger_plan, scaled
from devstack import Plan


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REFUNDS_HOME", str(tmp_path))


def planned() -> Plan:
    return ledger_plan(read_settings(), None, sandbox=False)


def ports(plan: Plan) -> dict[str, tuple[str | None, int]]:
    return {spec.name: (spec.port_variable, spec.port) for spec in plan.processes}


def test_each_process_gets_a_free_port() -> None:
    chosen = ("REFUNDS_METRICS_PORT", 0)
    assert ports(planned()) == dict.fromkeys(PROCESSES, chosen)


def test_a_port_that_is_named_is_the_projector_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFUNDS_METRICS_PORT", "9464")
    plan = planned()
    assert {name: port for name, (_, port) in ports(plan).items()} == {
        "decider": 0,
        "reactions": 0,
        "projector": 9464,
        "webhooks": 0,
    }
    more, _ = scaled(plan, {"decider": 2})
    assert {spec.name: spec.port for spec in more} == {
        "decider": 0,
        "decider-2": 0,
        "reactions": 0,
        "projector": 9464,
        "webhooks": 0,
    }


def test_metrics_that_are_off_need_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFUNDS_METRICS_PORT", "off")
    assert {variable for variable, _ in ports(planned()).values()} == {None}
