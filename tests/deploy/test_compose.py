"""The compose file is valid, speaks of settings there are, and opens nothing to the network."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from psycopg.conninfo import conninfo_to_dict

from console.main import app, main
from console.running.kafka_access import KafkaAccess
from console.running.origins.origin_folder import OriginFolder
from console.running.settings import Settings
from devstack.kafka.broker import VERSION as KAFKA_VERSION
from devstack.kafka.broker import Broker
from ledger.log.access import read_matrix
from ledger.origins.table import Mode
from tests.house.tree import ROOT

SCHEMA = json.loads((Path(__file__).parent / "vendored" / "compose-spec.json").read_text("utf-8"))
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
IMAGES = {"refund-ledger", "refund-ledger-console"}
OURS = {name: each for name, each in SERVICES.items() if each["image"] in IMAGES}
SECRETS_MOUNT = "security:/run/security:ro"
SECURITY_KEYS = (
    "ssl.", "sasl.", "listener.name.", "authorizer.", "super.users", "allow.everyone",
)  # fmt: skip
CLIENT_LISTENERS = {"inside", "outside", "sasl_ssl"}
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
    started = {name: each["command"][:2] for name, each in OURS.items() if "command" in each}
    assert started == {
        "security": ["secrets", "make"],
        "origins": ["origins", "start"],
        "users": ["secrets", "users"],
        "init": ["init", "--grant"],
        "console": ["serve", "--host=0.0.0.0"],
        **{name: ["run", name] for name in known},
    }


def test_the_console_has_an_image_with_what_it_imports() -> None:
    console = OURS["console"]
    (packages,) = console["build"]["args"].items()
    assert packages == ("PACKAGES", "console")
    assert "ARG PACKAGES=image" in (ROOT / "Dockerfile").read_text("utf-8")
    assert {name for name, each in OURS.items() if each["image"] != "refund-ledger"} == {"console"}


@pytest.mark.parametrize("service", [name for name in OURS if "environment" in OURS[name]])
def test_its_environment_names_are_those_of_the_settings(service: str) -> None:
    fields = (*Settings.model_fields.values(), *KafkaAccess.model_fields.values())
    known = {field.validation_alias for field in fields} | {"PGSSLMODE", "PGSSLROOTCERT"}
    assert set(OURS[service]["environment"]) <= known


def test_the_values_are_settings_the_program_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in OURS["decider"]["environment"].items():
        monkeypatch.setenv(name, VARIABLE.sub(lambda found: found[2], value))
    settings = Settings()
    assert settings.kafka_bootstrap == "kafka:9092"
    told = conninfo_to_dict(settings.database_url or "")
    assert (told["host"], told["user"]) == ("postgres", "refunds_decider")
    assert "password" not in told
    assert OURS["decider"]["environment"]["PGSSLMODE"] == "verify-full"
    assert settings.schema_registry_url is None
    assert not settings.sandbox


def made_by_security(folder: Path) -> dict[str, int]:
    """The files that the service `security` makes, and whose each is, by its own words."""
    words = [word.replace("/run/security", str(folder)) for word in OURS["security"]["command"]]
    shown = [word for word in words if not word.startswith("--owner=")]
    with pytest.raises(SystemExit) as ended:
        main(shown)
    assert ended.value.code in (0, None)
    told = (word.removeprefix("--owner=") for word in words if word.startswith("--owner="))
    owners = {name: int(uid) for name, _, uid in (each.partition("=") for each in told)}
    return {path.name: owners.get(path.name.split(".")[0], 0) for path in folder.iterdir()}


def test_each_service_finds_its_files_and_may_read_them(tmp_path: Path) -> None:
    made = made_by_security(tmp_path)
    own_image = int(re.findall(r"USER (\d+)", (ROOT / "Dockerfile").read_text("utf-8"))[0])
    users = {"postgres": 999} | {
        name: int(each["user"].partition(":")[0])
        for name, each in SERVICES.items()
        if "user" in each
    }
    for name, each in SERVICES.items():
        texts = [COMPOSE["configs"][config["source"]] for config in each.get("configs", [])]
        used = set(re.findall(r"/run/security/([\w.]+)", json.dumps([each, texts]))) - {"origins"}
        assert used <= made.keys(), name
        assert not used or name == "security" or SECRETS_MOUNT in each["volumes"], name
        user = users.get(name, own_image)
        unreadable = {file for file in used - {"ca.pem"} if made[file] != user}
        assert not unreadable or user == 0, f"{name} runs as {user} and cannot read {unreadable}"


def test_no_two_principals_share_a_user_who_could_read_the_files_of_both() -> None:
    words = OURS["security"]["command"]
    owners = dict(each.removeprefix("--owner=").split("=") for each in words if "--owner=" in each)
    users = [owners[principal] for principal in read_matrix().at_brokers]
    assert len({*users}) == len(users)
    for principal, role in read_matrix().roles.items():
        assert owners.get(role.name) == (None if principal == "finance" else owners[principal])


def test_who_signs_may_read_its_key_and_who_verifies_needs_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = OURS["origins"]["command"]
    owners = dict(each.removeprefix("--owner=").split("=") for each in words if "--owner=" in each)
    users = {name: each["user"].partition(":")[0] for name, each in OURS.items() if "user" in each}
    assert owners == {
        "ledger": users["reactions"],
        "operator": users["operator"],
        "console": users["console"],
    }
    monkeypatch.setenv("REFUNDS_ORIGINS", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        main([word for word in words if not word.startswith("--owner=")])
    assert ended.value.code in (0, None)
    table = OriginFolder(tmp_path).history().newest
    assert (table.mode, {*table.origins}) == (Mode.REQUIRED, {"gateway", *owners})
    assert {path.parent.name for path in tmp_path.glob("keys/*/k1.key")} == {*table.origins}
    shutil.rmtree(tmp_path / "keys")
    assert OriginFolder(tmp_path).verifier("an id") is not None
    for name in ("decider", "reactions", "operator", "auditor", "console"):
        assert OURS[name]["environment"]["REFUNDS_ORIGINS"] == "/run/security/origins"


def test_each_principal_has_one_service_that_connects_as_it() -> None:
    told = {
        name: each["environment"]["REFUNDS_KAFKA_PROPERTIES"]
        for name, each in OURS.items()
        if "REFUNDS_KAFKA_PROPERTIES" in each.get("environment", {})
    }
    # Upstream billing is not ours to run.
    ours = set(read_matrix().at_brokers) - {"gateway"}
    assert told.pop("init") == "/run/security/broker.properties"
    assert told == {name: f"/run/security/{name}.properties" for name in ours}
    for name in told:
        role = read_matrix().roles[name].name
        url = conninfo_to_dict(OURS[name]["environment"]["DATABASE_URL"])
        assert (url["user"], url["passfile"]) == (role, f"/run/security/{role}.pgpass")


def property_of(variable: str) -> str:
    """A broker's setting, as the image's own program reads it from a variable's name."""
    name = variable.removeprefix("KAFKA_").lower().replace("_", ".")
    return name.replace("...", "-").replace("..", "_")


def in_the_image() -> dict[str, str]:
    """What the compose file tells the broker."""
    told = SERVICES["kafka"]["environment"].items()
    return {
        property_of(name): VARIABLE.sub(lambda found: found[2], value).replace("$$", "$")
        for name, value in told
    }


def in_the_stack(tmp_path: Path) -> dict[str, str]:
    """What `up --secure` tells its only broker."""
    node = Broker(
        node_id=1,
        folder=tmp_path / "kafka",
        port=9092,
        controller_ports=(9093,),
        cluster_id="any",
        java=Path("java"),
        classpath=(),
        security=tmp_path / "security",
        internal_port=9094,
        archive=tmp_path / "none.jsa",
    )
    node.configure()
    lines = (node.folder / "server.properties").read_text("utf-8").splitlines()
    return {key: value for key, _, value in (line.partition("=") for line in lines)}


def secured(told: dict[str, str], listener: str) -> dict[str, str]:
    """What is said of security, seen from one listener for clients; of paths only the name."""
    clients = CLIENT_LISTENERS - {listener}
    return {
        key.replace(f".{listener}.", ".clients."): (
            Path(value).name if key.endswith("location") else value
        )
        for key, value in told.items()
        if key.startswith(SECURITY_KEYS)
        and not any(key.startswith(f"listener.name.{other}.") for other in clients)
    }


def test_its_broker_is_secured_as_the_stack_of_up_secure_is(tmp_path: Path) -> None:
    image, stack = in_the_image(), in_the_stack(tmp_path)
    for listener in ("inside", "outside"):
        assert secured(image, listener) == secured(stack, "sasl_ssl")
    assert protocols(image) == {
        "INSIDE": "SASL_SSL",
        "OUTSIDE": "SASL_SSL",
        "INTERNAL": "SSL",
        "CONTROLLER": "SSL",
    }
    assert protocols(stack) == {"SASL_SSL": "SASL_SSL", "INTERNAL": "SSL", "CONTROLLER": "SSL"}
    assert {told["inter.broker.listener.name"] for told in (image, stack)} == {"INTERNAL"}


def test_one_setting_that_differs_is_found(tmp_path: Path) -> None:
    image = in_the_image() | {"super.users": "User:ANONYMOUS"}
    assert secured(image, "inside") != secured(in_the_stack(tmp_path), "sasl_ssl")


def protocols(told: dict[str, str]) -> dict[str, str]:
    """Each listener and its protocol."""
    pairs = (pair.split(":") for pair in told["listener.security.protocol.map"].split(","))
    return dict(pair for pair in pairs)


def test_no_listener_is_named_so_that_the_images_start_asks_for_files_of_its_own() -> None:
    # Its script looks for these words in the listeners' names, and then wants other key stores.
    advertised = in_the_image()["advertised.listeners"]
    assert not re.search(r"SSL://|SASL_.*://", advertised)


def test_the_database_lets_nobody_in_without_tls_and_a_password() -> None:
    rules = [line.split() for line in COMPOSE["configs"]["pg_hba"]["content"].splitlines()]
    assert [rule for rule in rules if rule[0] != "local"] == [
        ["hostssl", "all", "all", "all", "scram-sha-256"]
    ]
    assert "--ssl=on" in SERVICES["postgres"]["command"]
    assert not any("PASSWORD" in name and "FILE" not in name for name in passwords())


def passwords() -> set[str]:
    """Every variable of every service."""
    return {name for each in SERVICES.values() for name in each.get("environment", {})}


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
            assert (not told.get("test")) if once else ("test" in told), f"{name} waits for {other}"


def test_the_default_is_the_ledger_and_nothing_else() -> None:
    profiles = {name: each["profiles"] for name, each in SERVICES.items() if "profiles" in each}
    assert profiles == {
        "registry": ["registry"],
        "registry-rights": ["registry"],
        "ui": ["ui"],
        "console": ["console"],
        "operator": ["people"],
        "auditor": ["people"],
    }
    waits = OURS["init"]["depends_on"]
    assert waits["registry"]["required"] is False


def test_the_broker_is_the_one_the_embedded_stack_runs() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"
    assert SERVICES["postgres"]["image"] == "postgres:18"
