"""The Kubernetes manifests are valid, hold no secret, and ask the pages that a process serves."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from console.running.kafka_access import KafkaAccess
from console.running.process_counts import PROCESSES
from console.running.settings import Settings
from console.web.api.health import router as health
from ledger.log.access import read_matrix
from tests.house.tree import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
VENDORED = Path(__file__).parent / "vendored" / "kubernetes-1.37.json.gz"
SCHEMAS: dict[str, Any] = json.loads(gzip.decompress(VENDORED.read_bytes()))
KUSTOMIZATION: dict[str, Any] = yaml.safe_load((FOLDER / "kustomization.yaml").read_text("utf-8"))
LIBPQ = {"PGPASSFILE"}


def objects() -> Iterator[dict[str, Any]]:
    """All that the kustomization lists."""
    for name in KUSTOMIZATION["resources"]:
        yield from yaml.safe_load_all((FOLDER / name).read_text("utf-8"))


def named(each: Any) -> str:
    """A test's name for a workload, or for one of its containers."""
    return str(each["name"] if isinstance(each, dict) else each)


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in objects() if each["kind"] == kind}


def problems(thing: dict[str, Any]) -> list[str]:
    """What the published schema of its kind has against it."""
    group, _, version = thing["apiVersion"].rpartition("/")
    name = f"io.k8s.api.{(group or 'core').partition('.')[0]}.{version}.{thing['kind']}"
    schema = {**SCHEMAS, "$ref": f"#/$defs/{name}"}
    found = Draft202012Validator(schema).iter_errors(thing)
    return [f"{each.json_path}: {each.message}" for each in found]


WORKLOADS = {**of_kind("Deployment"), **of_kind("Job")}
PODS = {name: each["spec"]["template"]["spec"] for name, each in WORKLOADS.items()}
CONTAINERS = [
    (name, container)
    for name, pod in PODS.items()
    for container in (*pod["initContainers"], *pod["containers"])
]


@pytest.mark.parametrize("thing", [*objects()], ids=lambda each: each["metadata"]["name"])
def test_each_is_valid_by_the_published_schema(thing: dict[str, Any]) -> None:
    assert problems(thing) == []


def test_a_planted_fault_is_found() -> None:
    (found, *_) = of_kind("Deployment").values()
    found["spec"]["template"]["spec"]["containers"][0]["imagee"] = "refund-ledger"
    found["spec"]["replicas"] = "two"
    assert len(problems(found)) == 2


def test_every_file_is_listed() -> None:
    files = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert files == set(KUSTOMIZATION["resources"])


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl here")
def test_kustomize_builds_them_all() -> None:
    built = subprocess.run(
        ["kubectl", "kustomize", FOLDER], capture_output=True, text=True, check=True
    )
    assert len(list(yaml.safe_load_all(built.stdout))) == len(list(objects()))


def test_there_is_a_deployment_for_each_process() -> None:
    commands = {name: pod["containers"][0]["args"] for name, pod in PODS.items()}
    assert commands == {
        "refunds-init": ["init", "--grant"],
        "refunds-console": ["serve", "--host=0.0.0.0", "--port=8080"],
        **{f"refunds-{process}": ["run", process] for process in PROCESSES},
    }


def test_no_more_processes_share_the_partitions_than_there_are() -> None:
    partitions = int(of_kind("ConfigMap")["refunds-settings"]["data"]["REFUNDS_PARTITIONS"])
    assert all(each["spec"]["replicas"] <= partitions for each in of_kind("Deployment").values())


def test_settings_are_those_that_the_program_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = of_kind("ConfigMap")["refunds-settings"]["data"]
    own = {each["name"] for _, container in CONTAINERS for each in container.get("env", ())}
    known = {field.validation_alias for field in Settings.model_fields.values()}
    known |= {field.validation_alias for field in KafkaAccess.model_fields.values()}
    assert {*shared, *own} <= known | LIBPQ
    for name, value in shared.items():
        monkeypatch.setenv(name, value)
    assert Settings().metrics_port == 9464


@pytest.mark.parametrize("process", PROCESSES)
def test_the_probes_ask_the_pages_that_the_process_serves(process: str) -> None:
    (container,) = PODS[f"refunds-{process}"]["containers"]
    asked = {
        name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")
    }
    assert {each["port"] for each in asked.values()} == {"metrics"}
    assert container["ports"] == [{"name": "metrics", "containerPort": 9464}]
    paths = {name: each["path"] for name, each in asked.items()}
    assert paths == {"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}


def test_the_console_is_reached_where_it_listens_and_has_the_image_with_its_extra() -> None:
    (container,) = PODS["refunds-console"]["containers"]
    assert container["image"] == "refund-ledger-console"
    assert container["ports"] == [{"name": "http", "containerPort": 8080}]
    asked = {
        name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")
    }
    assert {name: (each["path"], each["port"]) for name, each in asked.items()} == {
        "startup": ("/livez", "http"),
        "liveness": ("/livez", "http"),
        "readiness": ("/readyz", "http"),
    }
    served = {path for route in health.routes if (path := getattr(route, "path", ""))}
    assert {each["path"] for each in asked.values()} <= served
    (service,) = of_kind("Service").values()
    labels = WORKLOADS["refunds-console"]["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"] == labels
    assert service["spec"]["ports"] == [{"name": "http", "port": 80, "targetPort": "http"}]
    policy = of_kind("NetworkPolicy")["refunds-console"]["spec"]
    assert policy["podSelector"]["matchLabels"] == labels
    assert [port["port"] for rule in policy["ingress"] for port in rule["ports"]] == [8080]


@pytest.mark.parametrize(
    ("process", "origin"), [("decider", None), ("reactions", "ledger"), ("console", "console")]
)
def test_who_verifies_has_the_table_and_who_signs_a_key_of_its_own(
    process: str, origin: str | None
) -> None:
    """Without the table a pod does not start, so that nothing is taken unsigned by mistake."""
    pod = PODS[f"refunds-{process}"]
    (container,) = pod["containers"]
    told = {each["name"]: each.get("value") for each in container["env"]}
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    (table,) = [each for each in pod["volumes"] if each["name"] == "origins"]
    assert told["REFUNDS_ORIGINS"] == mounts["origins"]
    assert table == {"name": "origins", "configMap": {"name": "refunds-origins"}}
    assert told.get("REFUNDS_ORIGIN") == (None if origin is None else f"{origin}/k1")
    assert told.get("REFUNDS_ORIGIN_KEY_FILE") == (
        None if origin is None else f"{mounts['secrets']}/origin.key"
    )


@pytest.mark.parametrize("process", [*PROCESSES, "console"])
def test_a_process_may_be_moved_but_not_all_of_its_kind_at_once(process: str) -> None:
    budget = of_kind("PodDisruptionBudget")[f"refunds-{process}"]["spec"]
    labels = WORKLOADS[f"refunds-{process}"]["spec"]["template"]["metadata"]["labels"]
    assert budget["selector"]["matchLabels"] == labels
    replicas = WORKLOADS[f"refunds-{process}"]["spec"]["replicas"]
    assert budget.get("minAvailable", replicas - budget.get("maxUnavailable", 0)) < replicas


def test_each_pod_is_reached_and_reaches_only_what_the_policy_names() -> None:
    policies = of_kind("NetworkPolicy")
    webhooks = policies["refunds-webhooks"]["spec"]
    policy = policies["refunds-processes"]
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    chosen = policy["spec"]["podSelector"]["matchLabels"].items()
    for each in WORKLOADS.values():
        assert chosen <= each["spec"]["template"]["metadata"]["labels"].items()
    (reached,) = policy["spec"]["ingress"]
    assert reached["ports"] == [{"protocol": "TCP", "port": 9464}]
    assert webhooks["policyTypes"] == ["Egress"]
    template = WORKLOADS["refunds-webhooks"]["spec"]["template"]
    assert webhooks["podSelector"]["matchLabels"] == template["metadata"]["labels"]
    (told,) = webhooks["egress"]
    assert told["ports"] == [{"protocol": "TCP", "port": 443}]


@pytest.mark.parametrize(("workload", "container"), CONTAINERS, ids=named)
def test_a_container_may_do_as_little_as_possible(workload: str, container: dict[str, Any]) -> None:
    pod = PODS[workload]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_secrets_are_files_of_the_principal_of_the_process() -> None:
    texts = json.dumps([container for _, container in CONTAINERS])
    assert "secretKeyRef" not in texts
    assert "PASSWORD" not in texts
    named = {
        name: volume["secret"]
        for name, pod in PODS.items()
        for volume in pod["volumes"]
        if "secret" in volume
    }
    named_so = (*PROCESSES, "console")
    principals = {"refunds-init": "operator", **{f"refunds-{each}": each for each in named_so}}
    assert set(principals.values()) <= set(read_matrix().principals)
    for name, secret in named.items():
        assert secret == {"secretName": f"refunds-{principals[name]}", "defaultMode": 0o440}
