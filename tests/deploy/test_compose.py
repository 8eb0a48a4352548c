"""The compose file is valid, speaks of settings there are, and opens nothing to the network."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from console.main import app
from console.running.settings import Settings
from devstack.kafka.broker import VERSION as KAFKA_VERSION
from tests.house.tree import ROOT

SCHEMA = json.loads((Path(__file__).parent / "vendored" / "compose-spec.json").read_text("utf-8"))
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: each for name, each in SERVICES.items() if each["image"] == "refund-ledger"}
VARIABLE = re.compile(r"\$\{([A-Z_]+):-([^}]*)\}")


def problems(compose: dict[str, Any]) -> list[str]:
    """What the specification's schema has against it."""
    found = Draft202012Validator(SCHEMA).iter_errors(compose)
    return [f"{each.json_path}: {each.message}" for each in found]


def test_it_is_valid_by_the_compose_specification() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert problems(COMPOSE) == []


def test_a_planted_fault_is_found() -> None:
    assert problems({"services": {"kafka": {"imagee": "apache/kafka"}}})


def test_every_process_is_there_and_is_a_command_of_ours() -> None:
    doors = {group.name: group.typer_instance for group in app.registered_groups}
    runs = doors["run"]
    assert runs is not None
    known = {command.callback.__name__ for command in runs.registered_commands if command.callback}
    commands = {name: each["command"] for name, each in OURS.items()}
    assert commands == {"init": ["init"], **{name: ["run", name] for name in known}}


@pytest.mark.parametrize("service", OURS)
def test_its_environment_names_are_those_of_the_settings(service: str) -> None:
    known = {field.validation_alias for field in Settings.model_fields.values()}
    assert set(OURS[service]["environment"]) <= known


def test_the_values_are_settings_the_program_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in OURS["decider"]["environment"].items():
        monkeypatch.setenv(name, VARIABLE.sub(lambda found: found[2], value))
    settings = Settings()
    assert settings.kafka_bootstrap == "kafka:9092"
    assert settings.database_url == "postgresql://refunds:refunds@postgres:5432/refunds"
    assert settings.schema_registry_url is None
    assert not settings.sandbox


def test_what_shares_the_work_may_be_many_and_is_known_by_its_container(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("decider", "reactions"):
        assert "container_name" not in OURS[name]
        assert "hostname" not in OURS[name]
        assert "REFUNDS_MEMBER" not in OURS[name]["environment"]
        assert VARIABLE.fullmatch(OURS[name]["deploy"]["replicas"])
        members = set()
        for host in ("c0ffee", "decaf0"):
            monkeypatch.setattr("socket.gethostname", lambda host=host: host)
            members.add(Settings().member_of(name))
        assert len(members) == 2
    assert "deploy" not in OURS["projector"]


def test_ports_are_open_on_the_loopback_alone() -> None:
    ports = [port for each in SERVICES.values() for port in each.get("ports", [])]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_every_volume_is_declared_and_used() -> None:
    used = {
        mount.partition(":")[0] for each in SERVICES.values() for mount in each.get("volumes", [])
    }
    assert used == set(COMPOSE["volumes"])


def test_whoever_is_waited_for_can_say_that_it_is_healthy() -> None:
    for name, each in SERVICES.items():
        for other, how in each.get("depends_on", {}).items():
            told = SERVICES[other].get("healthcheck", {})
            once = how["condition"] == "service_completed_successfully"
            assert ("disable" in told) if once else ("test" in told), f"{name} waits for {other}"


def test_the_default_is_the_ledger_and_nothing_else() -> None:
    profiles = {name: each["profiles"] for name, each in SERVICES.items() if "profiles" in each}
    assert profiles == {"registry": ["registry"], "ui": ["ui"]}
    waits = {other: how for each in OURS.values() for other, how in each["depends_on"].items()}
    assert waits["registry"]["required"] is False


def test_the_broker_is_the_one_the_embedded_stack_runs() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"
    assert SERVICES["postgres"]["image"] == "postgres:18"
