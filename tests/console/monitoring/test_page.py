"""The page on monitoring names every metric that there is, and no other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from prometheus_client import REGISTRY, CollectorRegistry, Metric

import console.running.periodic_reconciliation as reconciling
from console.monitoring.meters import DeadlineMeters
from console.monitoring.monitor import Monitor
from console.monitoring.vitals import Vitals
from console.monitoring.webhook_meters import WebhookMeters
from tests.house.tree import ROOT

PAGE = (ROOT / "docs" / "how-to" / "operate" / "monitoring.md").read_text("utf-8")


def names(families: Iterable[Metric]) -> set[str]:
    """As a query names them: a counter's with its ending."""
    return {
        each.name + ("_total" if each.type == "counter" else "")
        for each in families
        if each.name.startswith("refunds_")
    }


def test_it_names_the_metrics_that_there_are() -> None:
    assert reconciling.DRIFTED is not None  # its metrics are those of the process
    registry = CollectorRegistry()
    monitor = Monitor(Vitals(), registry)
    DeadlineMeters(registry)
    WebhookMeters(registry)
    monitor.refusals(Counter())
    rows = "\n".join(re.findall(r"^\| (`refunds_[^|]+)\|", PAGE, re.MULTILINE))
    told = set(re.findall(r"`(refunds_\w+)`", rows))
    assert told == names(registry.collect()) | names(REGISTRY.collect())
