"""The password of a database of one's own is in one file that nobody else reads."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from console.rendering.reports.stack import status_to_json
from devstack import Plan, Status, destroy, up
from devstack.system.process_identity import myself
from tests.devstack.conftest import python
from tests.secured import postgres

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Status]:
    """A stack whose app writes down the URL that it was given."""
    folder = tmp_path_factory.mktemp("own")
    home = folder / "home"
    app = python(
        "import os, pathlib, signal; "
        "pathlib.Path('%s').write_text(os.environ['DATABASE_URL']); "
        "pathlib.Path(os.environ['REFUNDS_READY_FILE']).touch(); signal.pause()" % (home / "told")
    )
    with postgres.secured_database(folder / "postgres", folder / "files") as url:
        given = url.replace(f"{postgres.USER}@", f"{postgres.USER}:{postgres.PASSWORD}@")
        assert postgres.PASSWORD in given
        plan = Plan(processes=(app,), database_url=given, durable=False, owner=myself())
        try:
            yield up(home, plan)
        finally:
            destroy(home)


def test_the_password_is_in_its_file_alone(seen: Status) -> None:
    secret = postgres.PASSWORD.encode()
    found = [p for p in seen.home.rglob("*") if p.is_file() and secret in p.read_bytes()]
    assert found == [seen.home / "database.pgpass"]
    assert found[0].stat().st_mode & 0o777 == 0o600
    assert postgres.PASSWORD not in str(status_to_json(seen, ask=False))


def test_apps_and_people_connect_by_the_url_without_it(seen: Status) -> None:
    told = (seen.home / "told").read_text()
    assert told == seen.database_url
    with psycopg.connect(told) as connection:
        assert connection.info.user == postgres.USER
