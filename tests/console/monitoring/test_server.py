"""The three pages of a process over HTTP, and a port that is in use."""

from __future__ import annotations

import urllib.request
from urllib.error import HTTPError

import pytest
from prometheus_client import CollectorRegistry

from console.monitoring.monitor import Monitor
from console.monitoring.server import serve
from console.monitoring.vitals import Vitals
from console.terminal.errors import Failed

LOOPBACK = "127.0.0.1"


def page(port: int, path: str) -> tuple[int, str]:
    """The status and the text."""
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.fixture
def vitals() -> Vitals:
    return Vitals()


@pytest.fixture
def port(vitals: Vitals) -> int:
    registry = CollectorRegistry()
    Monitor(vitals, registry)
    return serve(LOOPBACK, 0, vitals, registry)


def test_metrics_are_in_prometheus_s_format(port: int) -> None:
    status, text = page(port, "/metrics")
    assert status == 200
    assert "# TYPE refunds_lag_records gauge" in text
    assert "refunds_live 1.0" in text


def test_a_probe_says_why_a_process_is_not_ready(port: int, vitals: Vitals) -> None:
    assert page(port, "/livez") == (200, "ok\n")
    assert page(port, "/readyz") == (503, "no consumer has started yet\n")
    vitals.owns(vitals.duty("decider"), frozenset({0}))
    assert page(port, "/readyz") == (200, "ok\n")


def test_other_pages_name_those_that_are_there(port: int) -> None:
    assert page(port, "/") == (404, "/metrics, /livez and /readyz are here\n")


def test_a_port_in_use_is_an_error_with_the_next_step(port: int, vitals: Vitals) -> None:
    with pytest.raises(Failed, match=f"metrics cannot be served on 127.0.0.1:{port}: .*to off"):
        serve(LOOPBACK, port, vitals, CollectorRegistry())
