"""Clients in Python and TypeScript, generated from the OpenAPI document, give a command.

The generators are no dependencies of ours: `make clients` installs them beside, and runs this.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house.tree import ROOT

pytestmark = pytest.mark.timeout(600)
TOOLS = ROOT / ".tools" / "clients"
SOURCES = Path(__file__).parent / "clients"
COMPILER = [
    "--strict",
    "--target",
    "es2022",
    "--module",
    "commonjs",
    "--skipLibCheck",
    "--types",
    "node",
    "use.ts",
]
PYTHON, MODULES = TOOLS / "python" / "bin", TOOLS / "node_modules"


def run(folder: Path, *words: str | Path) -> str:
    """What a program prints; an error fails the test with what it says."""
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=300)  # noqa: PLW1510
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.mark.skipif(not PYTHON.exists(), reason="no generator: run `make clients`")
def test_a_client_in_python_gives_a_command(url: str, tmp_path: Path) -> None:
    where = ["--url", f"{url}/v1/openapi.json", "--meta", "none"]
    run(
        tmp_path,
        PYTHON / "openapi-python-client",
        "generate",
        *where,
        "--output-path",
        "refunds_client",
    )
    run(tmp_path, PYTHON / "python", "-m", "compileall", "-q", "refunds_client")
    shutil.copy(SOURCES / "use.py.txt", tmp_path / "use.py")
    assert run(tmp_path, PYTHON / "python", "use.py", url) == "accepted AccountOpened"


@pytest.mark.skipif(not MODULES.exists(), reason="no node, or no generator: run `make clients`")
def test_a_client_in_typescript_gives_a_command(url: str, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(MODULES)
    shutil.copy(SOURCES / "use.ts", tmp_path)
    run(tmp_path, MODULES / ".bin" / "openapi-typescript", f"{url}/v1/openapi.json", "-o", "api.ts")
    run(tmp_path, MODULES / ".bin" / "tsc", *COMPILER)
    assert run(tmp_path, "node", "use.js", url) == "accepted AccountOpened"
