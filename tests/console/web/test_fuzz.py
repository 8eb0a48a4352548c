"""Requests made from the OpenAPI document, good ones and bad ones: no 500, no undeclared status."""

from __future__ import annotations

import os
from collections import Counter
from math import ceil
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import status_code_conformance

CASES, SEED = int(os.environ.get("CASES") or 250), int(os.environ.get("SEED") or 16)
pytestmark = pytest.mark.timeout(300 + CASES)
LINES = (
    '{"account": "a", "id": "b", "command": "ChangeCard", "actor": {"id": "c", "role": "BILLING"}}'
)
schemathesis.openapi.media_type(
    "application/jsonl", st.one_of(st.binary(), st.just(LINES.encode()), st.text().map(str.encode))
)


def test_no_request_is_a_500_or_has_an_undeclared_status(url: str) -> None:
    schema = schemathesis.openapi.from_url(f"{url}/v1/openapi.json")
    every: list[Any] = list(schema.get_all_operations())
    operations = [each.ok() for each in every]
    found = Counter[int]()
    for operation in operations:
        for mode in GenerationMode:
            try_out(operation, mode, ceil(CASES / (2 * len(operations))), found)
    assert sum(found.values()) >= CASES
    assert {200, 400} <= set(found)
    print(dict(sorted(found.items())))


def try_out(operation: Any, mode: GenerationMode, count: int, found: Counter[int]) -> None:
    """Ask an operation so many times, and count the answers by status."""

    @seed(SEED)
    @settings(
        max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def one(case: Any) -> None:
        told = {"Refunds-Actor": "BILLING:billing"} if mode is GenerationMode.POSITIVE else {}
        answer = case.call(headers=told, timeout=60)
        found[answer.status_code] += 1
        assert answer.status_code != 500, (case.as_curl_command(), answer.text)
        case.validate_response(answer, checks=[status_code_conformance])

    one()
