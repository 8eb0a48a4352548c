"""The Dockerfile's steps work in a clean folder, and the image runs without root."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.house.tree import ROOT, settings, tracked_files

PREFIX = "/opt/refunds"


class Step(NamedTuple):
    """One instruction; the stage counts from 0."""

    stage: int
    keyword: str
    arguments: str


def steps() -> list[Step]:
    """The Dockerfile's instructions in order."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines()]
    found: list[Step] = []
    stage = -1
    for keyword, _, arguments in (line.partition(" ") for line in lines if line[:1].isalpha()):
        stage += keyword == "FROM"
        found.append(Step(stage, keyword, arguments))
    return found


def test_the_last_stage_runs_as_a_numbered_user_who_is_not_root() -> None:
    (user,) = (step.arguments for step in steps() if (step.stage, step.keyword) == (1, "USER"))
    assert int(user.partition(":")[0]) > 0


def test_both_stages_stand_on_the_oldest_python_the_project_takes() -> None:
    oldest = settings()["project"]["requires-python"].removeprefix(">=")
    images = {step.arguments.split()[0] for step in steps() if step.keyword == "FROM"}
    assert images == {f"python:{oldest}-slim"}


def test_what_is_copied_is_let_through_to_the_build() -> None:
    let_through = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    assert {part for step in copies() for part in step.arguments.split()[:-1]} == let_through


def copies() -> list[Step]:
    """What comes from the checkout."""
    return [step for step in steps() if step.keyword == "COPY" and "--from" not in step.arguments]


def copied(sources: list[str], target: Path) -> None:
    """What COPY does: tracked files alone, folders by their content."""
    for path in tracked_files():
        name = path.relative_to(ROOT)
        for source in sources:
            if name == Path(source):
                shutil.copy2(path, target)
            elif name.is_relative_to(source):
                place = target / name.relative_to(source)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, place)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_build_stage_installs_a_program_that_finds_its_schemas(tmp_path: Path) -> None:
    """The steps one by one, `/opt/refunds` being a folder of the test's own. Only making the user
    is left out: that would change this machine.
    """
    installed, build = tmp_path / "opt", tmp_path / "build"
    build.mkdir()
    for step in (step for step in steps() if step.stage == 0):
        *sources, target = step.arguments.split()
        match step.keyword:
            case "COPY":
                copied(sources, build / target)
            case "RUN":
                command = step.arguments.replace(PREFIX, str(installed))
                subprocess.run(["sh", "-ec", command], cwd=build, check=True)
            case _:
                assert step.keyword in {"FROM", "ENV", "WORKDIR"}
    shutil.rmtree(build)

    left_out = [step for step in steps() if (step.stage, step.keyword) == (1, "RUN")]
    assert len(left_out) == 1
    assert left_out[0].arguments.startswith("useradd ")
    env = {"PATH": f"{installed / 'bin'}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    asked = "import ledger.wire.avro.codec as c; print(c.__file__, c.event_name_of.__module__);"
    asked += "from ledger.wire.avro.schema_files import schema_root; print(schema_root())"
    told = subprocess.run(
        [installed / "bin" / "python", "-c", asked],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert str(installed) in told.stdout.splitlines()[0]
    assert told.stdout.splitlines()[1].endswith("ledger/_schemas")
    version = subprocess.run(
        ["refundctl", "--version"],
        cwd=tmp_path, env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert version.stdout == f"refundctl {settings()['project']['version']}\n"
