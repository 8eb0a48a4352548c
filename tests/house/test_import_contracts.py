"""Every import contract holds, covers what it claims to cover, and fails when it is crossed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.house.tree import ROOT, settings

CONTRACTS: list[dict[str, Any]] = settings()["tool"]["importlinter"]["contracts"]

ROOMS = {one["id"]: one for one in CONTRACTS if one["type"] == "layers"}

PLANTS = {
    "packages": ("ledger/values/instants.py", "import consumers"),
    "no-circles": ("ledger/state/entities.py", "from ledger.state import reading"),
    "ledger-rooms": ("ledger/values/money.py", "import ledger.log.seam"),
    "wire-rooms": ("ledger/wire/json/lines.py", "import ledger.wire.avro.codec"),
    "log-rooms": ("ledger/log/seam.py", "import ledger.log.memory"),
    "kafka-rooms": (
        "ledger/log/kafka/client/settings.py",
        "import ledger.log.kafka.reading.topic_tail",
    ),
    "consumers-rooms": ("consumers/deciding/store.py", "import consumers.sandbox.simulation"),
    "projector-rooms": ("projector/rows/writer.py", "import projector.following.checkpoint"),
    "console-rooms": ("console/rendering/sentences/words.py", "import console.commands.submit"),
    "web-rooms": ("console/web/desk.py", "import console.web.api.commands"),
    "devstack-rooms": ("devstack/system/ports.py", "import devstack.kafka.broker"),
    "devstack-alone": ("devstack/planted.py", "import ledger.values.money"),
    "pure-core": ("ledger/values/money.py", "import time"),
    "only-the-codec-speaks-avro": ("consumers/planted.py", "import fastavro"),
    "only-the-kafka-log-speaks-kafka": ("projector/planted.py", "from kafka import KafkaConsumer"),
    "ledger-has-no-database": ("ledger/wire/avro/codec.py", "import psycopg"),
    "auditor-apart": ("ledger/audit/checks/planted.py", "import ledger.decide"),
    "reconciliation-apart": (
        "projector/reconciling/independent_fold.py",
        "from projector.views import balances",
    ),
}


def lint(source: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    """Run the contracts over a copy of the source tree."""
    chosen = [argument for name in contracts for argument in ("--contract", name)]
    return subprocess.run(
        [
            Path(sys.executable).parent / "lint-imports",
            *("--config", ROOT / "pyproject.toml"),
            "--no-cache",
            *chosen,
        ],
        cwd=source,
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
    )


def plant(path: Path, line: str) -> None:
    """Append a line to a module, which is created with its packages where it does not exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for package in (path.parent, *path.parent.parents):
        if package.name == "src":
            break
        (package / "__init__.py").touch()
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    ignore = shutil.ignore_patterns("__pycache__")
    return shutil.copytree(ROOT / "src", tmp_path / "src", ignore=ignore)


def test_all_contracts_hold(source: Path) -> None:
    run = lint(source)
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_contract_has_a_plant() -> None:
    assert set(PLANTS) == {contract["id"] for contract in CONTRACTS}


@pytest.mark.parametrize("contract", PLANTS)
def test_a_contract_fails_when_it_is_crossed(contract: str, source: Path) -> None:
    name, line = PLANTS[contract]
    plant(source / name, line)

    run = lint(source, contract)

    assert run.returncode == 1, run.stdout + run.stderr
    assert "0 kept, 1 broken" in run.stdout


def test_an_audit_check_may_not_reuse_the_arithmetic_by_a_detour_either(source: Path) -> None:
    plant(source / "ledger" / "audit" / "detour.py", "import ledger.calculations")
    plant(source / "ledger" / "audit" / "checks" / "planted.py", "import ledger.audit.detour")
    assert lint(source, "auditor-apart").returncode == 1


def test_the_check_of_verdicts_alone_may_decide_again(source: Path) -> None:
    plant(source / "ledger" / "audit" / "checks" / "same_verdict.py", "import ledger.decide")
    run = lint(source, "auditor-apart")
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("room", [room for room in ROOMS if ROOMS[room].get("containers")])
def test_a_module_in_no_layer_fails(room: str, source: Path) -> None:
    plant(source / ROOMS[room]["containers"][0].replace(".", "/") / "planted.py", "")

    run = lint(source, room)

    assert run.returncode == 1, run.stdout + run.stderr
    assert "planted" in run.stdout


def test_the_core_is_every_layer_from_eligibility_down() -> None:
    by_id = {contract["id"]: contract for contract in CONTRACTS}
    layers = [re.findall(r"\w+", layer) for layer in by_id["ledger-rooms"]["layers"]]
    first = next(number for number, layer in enumerate(layers) if "eligibility" in layer)
    core = {f"ledger.{module}" for layer in layers[first:] for module in layer}
    assert core == set(by_id["pure-core"]["source_modules"])


def test_every_package_is_a_root_of_the_contracts_and_travels_in_the_wheel() -> None:
    packages = {path.name for path in (ROOT / "src").iterdir() if path.suffix != ".egg-info"}
    packages.discard("__pycache__")
    tool = settings()["tool"]
    assert packages == set(tool["importlinter"]["root_packages"])
    assert packages == {
        Path(path).name for path in tool["hatch"]["build"]["targets"]["wheel"]["packages"]
    }
