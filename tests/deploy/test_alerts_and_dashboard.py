"""Alerts and dashboard ask for metrics that there are, and every alert has a page."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from itertools import combinations
from typing import Any

import pytest
import yaml

from tests.house.tree import ROOT

PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((PROMETHEUS / "alerts.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
DASHBOARD: dict[str, Any] = json.loads(
    (ROOT / "deploy" / "grafana" / "refund-ledger.json").read_text("utf-8")
)
PANELS = [each for each in DASHBOARD["panels"] if each["type"] != "row"]
OPERATE = ROOT / "docs" / "how-to" / "operate"
OF_PROMETHEUS = {"up", "process_start_time_seconds"}
OF_PROCESSES = {"process_cpu_seconds_total", "process_resident_memory_bytes"}
SERIES = re.compile(r"\b(?:up|(?:refunds|process)_\w+)\b")


def metrics() -> set[str]:
    """The names that the page on monitoring has, which a test holds to those that there are."""
    page = (OPERATE / "monitoring.md").read_text("utf-8")
    return set(re.findall(r"`(refunds_\w+)`", page))


def unknown(expression: str) -> set[str]:
    """What an expression asks for that nobody serves."""
    asked = {re.sub(r"_(bucket|count|sum)$", "", each) for each in SERIES.findall(expression)}
    return asked - metrics() - OF_PROMETHEUS - OF_PROCESSES


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_an_alert_asks_for_metrics_that_there_are_and_names_its_section(
    rule: dict[str, Any],
) -> None:
    assert unknown(rule["expr"]) == set()
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["runbook_url"].endswith(f"alerts.md#{rule['alert'].lower()}")


def test_a_metric_that_nobody_serves_is_found() -> None:
    assert unknown('max(refunds_lag_minutes{consumer="decider"}) > 5') == {"refunds_lag_minutes"}


def test_the_page_has_a_section_for_every_alert_in_order() -> None:
    page = (OPERATE / "alerts.md").read_text("utf-8")
    assert re.findall(r"^## (Refunds\w+)$", page, re.MULTILINE) == [r["alert"] for r in RULES]
    for section in re.split(r"^## Refunds", page, flags=re.MULTILINE)[1:]:
        assert re.findall(r"^\*\*(\w+)", section, re.MULTILINE) == ["Meaning", "Look", "Do"], (
            section
        )


@pytest.mark.skipif(shutil.which("promtool") is None, reason="there is no promtool here")
@pytest.mark.parametrize(
    "command",
    [
        ("check", "rules", "alerts.yml"),
        ("test", "rules", "alerts_test.yml"),
        ("check", "config", "scrape.yml"),
    ],
)
def test_prometheus_itself_has_nothing_against_them(command: tuple[str, ...]) -> None:
    run = subprocess.run(
        ["promtool", *command], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: str(panel["title"]))
def test_a_panel_asks_for_metrics_that_there_are(panel: dict[str, Any]) -> None:
    assert panel["description"]
    for target in panel["targets"]:
        assert unknown(target["expr"]) == set()
        assert target["datasource"]["uid"] == "${datasource}"


def test_no_panel_covers_another_and_each_has_a_number_of_its_own() -> None:
    assert len({each["id"] for each in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    for one, other in combinations([each["gridPos"] for each in DASHBOARD["panels"]], 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)
