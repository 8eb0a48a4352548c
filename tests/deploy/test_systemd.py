"""The systemd units are valid, and each runs a process of ours with settings that there are."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from console.running.kafka_access import KafkaAccess
from console.running.process_counts import PROCESSES
from console.running.settings import Settings
from tests.house.tree import ROOT

FOLDER = ROOT / "deploy" / "systemd"
UNITS = {path.name: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.service"))}
INSTALLED = "/opt/refunds/bin/refundctl"


def test_there_is_a_unit_for_each_process() -> None:
    commands = [re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE) for text in UNITS.values()]
    runs = [[f"{INSTALLED} run {process}"] for process in PROCESSES]
    assert sorted(commands) == sorted([*runs, [f"{INSTALLED} serve"]])


def test_who_verifies_has_the_table_and_who_signs_a_key_of_its_own() -> None:
    for unit, origin in (
        ("refunds-decider@.service", None),
        ("refunds-reactions@.service", "ledger"),
        ("refunds-console.service", "console"),
    ):
        lines = UNITS[unit].splitlines()
        assert "Environment=REFUNDS_ORIGINS=/etc/refunds/origins" in lines
        told = [line for line in lines if "ORIGIN_KEY" in line or "REFUNDS_ORIGIN=" in line]
        assert told == (
            []
            if origin is None
            else [
                f"Environment=REFUNDS_ORIGIN={origin}/k1",
                "Environment=REFUNDS_ORIGIN_KEY_FILE=%d/origin.key",
            ]
        )
        loaded = f"LoadCredential=origin.key:/etc/refunds/origins/keys/{origin}/k1.key"
        assert (loaded in lines) is (origin is not None)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_itself_has_nothing_against_them(tmp_path: Path) -> None:
    """A template is verified as one of its instances, with a program that is there."""
    for path in FOLDER.iterdir():
        text = path.read_text("utf-8").replace(INSTALLED, sys.executable)
        (tmp_path / path.name.replace("@.", "@1.")).write_text(text)
    run = subprocess.run(
        ["systemd-analyze", "verify", *sorted(tmp_path.iterdir())],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS)
def test_its_settings_are_those_that_the_program_takes(unit: str) -> None:
    told = set(re.findall(r"^Environment=(\w+)=", UNITS[unit], re.MULTILINE))
    known = {field.validation_alias for field in Settings.model_fields.values()}
    known |= {field.validation_alias for field in KafkaAccess.model_fields.values()}
    assert told <= known | {"PGPASSFILE"}


@pytest.mark.parametrize("unit", UNITS)
def test_it_is_started_again_for_ever_and_can_do_little(unit: str) -> None:
    lines = set(UNITS[unit].splitlines())
    assert {
        "Restart=always",
        "StartLimitIntervalSec=0",
        "DynamicUser=yes",
        "ProtectSystem=strict",
        "CapabilityBoundingSet=",
        "LimitCORE=0",
    } <= lines
    assert not re.search(r"PASSWORD", UNITS[unit])
