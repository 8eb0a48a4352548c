"""The schemas are found from a checkout and from an installed wheel, and their absence is named."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ledger.wire.avro.schema_files import schema_root
from tests.house.tree import ROOT, tracked_files, uv


def test_an_editable_install_reads_the_checkouts_schemas() -> None:
    assert schema_root() == ROOT / "schemas"


def test_an_installed_package_reads_its_own_schemas(tmp_path: Path) -> None:
    package = tmp_path / "ledger"
    for kind in ("commands", "events"):
        (package / "_schemas" / kind).mkdir(parents=True)
    assert schema_root(package) == package / "_schemas"


def test_missing_schemas_are_named_with_the_places_looked_at(tmp_path: Path) -> None:
    package = tmp_path / "lib" / "ledger"
    with pytest.raises(FileNotFoundError, match="reinstall refund-ledger") as error:
        schema_root(package)
    assert str(package / "_schemas") in str(error.value)
    assert str(tmp_path / "schemas") in str(error.value)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.slow
def test_the_wheel_carries_every_file_of_the_packages_and_the_schemas(wheel: Path) -> None:
    expected = set()
    for path in tracked_files():
        top, *rest = path.relative_to(ROOT).parts
        if top == "src":
            expected.add("/".join(rest))
        elif top == "schemas":
            expected.add("/".join(("ledger", "_schemas", *rest)))
    carried = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert carried == expected


@pytest.mark.slow
def test_an_installed_wheel_finds_its_schemas(wheel: Path, tmp_path: Path) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run(
        [uv(), "venv", "--quiet", "--python", sys.executable, tmp_path / "venv"], check=True
    )
    subprocess.run(
        [uv(), "pip", "install", "--quiet", "--no-deps", "--no-index", "--python", python, wheel],
        check=True,
    )
    question = "from ledger.wire.avro.schema_files import schema_root; print(schema_root())"
    answer = subprocess.run(
        [python, "-c", question], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    root = Path(answer.stdout.strip())
    assert root.is_relative_to(tmp_path / "venv")
    carried = {path.relative_to(root) for path in root.rglob("*")}
    assert carried == {path.relative_to(ROOT / "schemas") for path in (ROOT / "schemas").rglob("*")}
