"""The Dockerfile's steps work in a clean folder, and the image runs without root."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from devstack import Services
from tests.console.ledgers import running_ledger
from tests.house.tree import ROOT, settings, tracked_files
from tools.dependencies import closure, extras, required

FILE = str(ROOT / "examples" / "01-five-days.jsonl")


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


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build stage's steps one by one, `/opt` being a folder of the tests' own: what of it goes
    into the image. Only making the user is left out: that would change this machine.
    """
    folder = tmp_path_factory.mktemp("image")
    build = folder / "build"
    build.mkdir()
    told = dict(step.arguments.split("=") for step in steps() if step.keyword == "ARG")
    for step in (step for step in steps() if step.stage == 0):
        *sources, target = step.arguments.split()
        match step.keyword:
            case "COPY":
                copied(sources, build / target)
            case "RUN":
                command = step.arguments.replace("/opt/", f"{folder}/opt/")
                subprocess.run(["sh", "-ec", command], cwd=build, env=os.environ | told, check=True)
            case _:
                assert step.keyword in {"FROM", "ENV", "WORKDIR", "ARG"}
    shutil.rmtree(build)

    left_out = [step for step in steps() if (step.stage, step.keyword) == (1, "RUN")]
    assert len(left_out) == 1
    assert left_out[0].arguments.startswith("useradd ")
    return folder / "opt" / "refunds"


def said(image: Path, *words: str) -> str:
    """What a program of the image says, away from the checkout."""
    ran = subprocess.run(
        [image / "bin" / words[0], *words[1:]],
        cwd=image, env={"PATH": str(image / "bin"), "HOME": str(image)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return ran.stdout + ran.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_image_has_a_program_that_finds_its_schemas(image: Path) -> None:
    asked = "import ledger.wire.avro.codec as c; print(c.__file__, c.event_name_of.__module__);"
    asked += "from ledger.wire.avro.schema_files import schema_root; print(schema_root())"
    found = said(image, "python", "-c", asked).splitlines()
    assert str(image) in found[0]
    assert found[1].endswith("ledger/_schemas")
    assert said(image, "refundctl", "--version") == (
        f"refundctl {settings()['project']['version']}\n"
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_image_has_what_the_program_needs_and_nothing_else(image: Path) -> None:
    asked = "from importlib.metadata import distributions as d; print(*(x.name for x in d()))"
    installed = {canonicalize_name(name) for name in said(image, "python", "-c", asked).split()}
    assert installed == {*closure(required()), "refund-ledger"}
    size = sum(path.stat().st_size for path in image.rglob("*") if path.is_file())
    print(f"the image's own files: {size / 1e6:.0f} MB in {len(installed)} packages")


def test_each_list_of_packages_is_what_its_image_imports_and_nothing_else() -> None:
    """`PACKAGES` names one of them; on this machine, without what is for another one alone."""
    for name, asked in (("image", required()), ("console", [*required(), *extras()["console"]])):
        lines = (ROOT / "tools" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        found = [Requirement(line.rstrip("\\ ")) for line in lines if "==" in line]
        here = {
            canonicalize_name(each.name)
            for each in found
            if each.marker is None or each.marker.evaluate()
        }
        assert here == closure(asked), name


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("words", ["up", "demo"])
def test_what_an_extra_installs_is_asked_for_by_its_name(image: Path, words: str) -> None:
    told = said(image, "refundctl", words).splitlines()[-1]
    assert re.match(
        r"error: this needs (platformdirs|psutil), which is not installed: "
        r"pip install 'refund-ledger\[embedded\]'",
        told,
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_image_runs_a_ledger_on_services_of_others(
    image: Path, services: Services, database: str, tmp_path: Path
) -> None:
    program = (str(image / "bin" / "refundctl"),)
    with running_ledger(
        services.bootstrap, database, tmp_path, sandbox=True, program=program
    ) as ledger:
        for words in (("submit", FILE), ("query", "balances"), ("audit", "verify"), ("reconcile",)):
            done = subprocess.run(
                [*program, *words],
                cwd=tmp_path, env={"PATH": str(image / "bin"), **ledger.environment},
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, (words, done.stderr)
