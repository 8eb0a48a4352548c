"""`refundctl scale` and the options of `up`: what may be asked for, and what it comes to."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.running.ledger_locator import BROKERS
from console.running.process_counts import known_brokers
from console.running.settings import Settings, read_settings
from console.running.stack_plan import ledger_plan, scaled
from console.terminal.errors import BadInput
from devstack import Plan, State, Status
from tests.console.terminal.test_errors import assert_told
from tests.console.virtual_terminal import Terminal


def settings() -> Settings:
    return read_settings().model_copy(update={"partitions": 4})


def plan(decider: int = 1, seen: Status | None = None) -> Plan:
    return ledger_plan(settings(), seen, sandbox=False, counts={"decider": decider})


def known(**metadata: str) -> Status:
    return Status(state=State.STOPPED, home=Path("/home"), metadata=metadata)


def test_each_process_joins_its_group_by_its_own_name() -> None:
    specs = plan(decider=3).processes
    names = ["decider", "decider-2", "decider-3", "reactions", "projector", "webhooks"]
    assert [spec.name for spec in specs] == names
    assert [spec.env["REFUNDS_MEMBER"] for spec in specs] == names
    assert {spec.argv[-1] for spec in specs} == {"decider", "reactions", "projector", "webhooks"}


def test_scaling_adds_and_takes_away_and_leaves_the_others_as_they_are() -> None:
    before = plan(decider=2)
    processes, metadata = scaled(before, {"decider": 1, "reactions": 2})
    names = ["decider", "reactions", "reactions-2", "projector", "webhooks"]
    assert [spec.name for spec in processes] == names
    kept = {spec.name: spec for spec in before.processes}
    assert all(spec == kept[spec.name] for spec in processes if spec.name in kept)
    assert (metadata["decider"], metadata["reactions"]) == ("1", "2")


def test_a_later_start_has_as_many_as_the_last_one() -> None:
    again = ledger_plan(settings(), known(decider="3"), sandbox=False)
    assert [spec.name for spec in again.processes][:3] == ["decider", "decider-2", "decider-3"]


@pytest.mark.parametrize("count", [0, 5, -1])
def test_no_more_share_the_work_than_there_are_partitions(count: int) -> None:
    with pytest.raises(BadInput, match=r"cannot share 4 partitions|1 to 4"):
        scaled(plan(), {"decider": count})


def test_a_ledger_stays_on_its_brokers() -> None:
    assert known_brokers(known(**{BROKERS: "3"}), None) == 3
    assert known_brokers(known(sandbox="no"), None) == 1
    assert known_brokers(None, 3) == 3
    with pytest.raises(BadInput, match="has 3 brokers, and this never changes"):
        known_brokers(known(**{BROKERS: "3"}), 1)


@pytest.mark.parametrize("count", ["2", "0", "5"])
def test_a_cluster_has_three_brokers(terminal: Terminal, count: str) -> None:
    assert_told(terminal.run("up", "--brokers", count), 2, "1 broker or 3")


@pytest.mark.parametrize("text", ["projector=2", "decider", "decider=many", "decider=²"])
def test_a_scale_that_is_none_is_told(terminal: Terminal, text: str) -> None:
    assert_told(terminal.run("scale", text), 2, f"{text!r}: write decider=2 or reactions=2")


def test_what_does_not_run_is_not_scaled(terminal: Terminal) -> None:
    assert_told(terminal.run("scale", "decider=2"), 1, "no ledger runs in", "refundctl up")
