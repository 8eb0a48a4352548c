"""A terminal for tests: types a command, reads what it prints and how it ends."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec import Struct

from console.main import main


class Ran(Struct, frozen=True, kw_only=True):
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The JSON objects it printed, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


class Terminal:
    """Runs `refundctl` in this process."""

    def __init__(self, captured: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self._captured = captured
        self._patch = patch

    def use(self, environment: Mapping[str, str]) -> None:
        """Set environment variables for the commands to come."""
        for name, value in environment.items():
            self._patch.setenv(name, value)

    def run(self, *words: object, stdin: str = "") -> Ran:
        """Run a command to its end."""
        typed = io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
        self._patch.setattr(sys, "stdin", typed)
        self._captured.readouterr()
        try:
            main([str(word) for word in words])
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = self._captured.readouterr()
        return Ran(code=code, out=out, err=err)
