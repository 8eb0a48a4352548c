"""A password in a database's URL is shown nowhere, and kept in a file of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from devstack import DevstackError
from devstack.postgres.passwords import kept_apart, without_password

WITH = [
    "postgresql://me:s3cr:et%5C@db:5433/ledger?sslmode=require",
    "postgres://db:5433/ledger?user=me&password=s3cr%3Aet%5C&sslmode=require",
    "host=db port=5433 dbname=ledger user=me password='s3cr:et\\\\' sslmode=require",
]
WITHOUT = ["postgresql://me@db/ledger", "postgresql:///ledger?service=a", "host=db dbname=ledger"]


@pytest.mark.parametrize("url", WITH)
def test_a_password_goes_into_the_file_and_the_rest_stays(url: str, tmp_path: Path) -> None:
    file = tmp_path / "database.pgpass"
    found = conninfo_to_dict(kept_apart(url, file))
    given = conninfo_to_dict(url)
    assert found.pop("passfile") == str(file)
    assert given.pop("password") == "s3cr:et\\"
    assert found == given
    assert file.read_text() == "*:*:*:*:s3cr\\:et\\\\\n"
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("url", WITHOUT)
def test_a_url_without_a_password_is_left_as_it_is(url: str, tmp_path: Path) -> None:
    assert kept_apart(url, tmp_path / "none") == url
    assert without_password(url) == url
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "url", [*WITH, "postgresql://db/x?sslkey=k&sslpassword=s3cr", "postgresql://me:s3cr@db/x?no"]
)
def test_a_password_is_not_shown(url: str) -> None:
    assert "s3cr" in url
    assert "s3cr" not in without_password(url)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://db/x?sslpassword=s3cr", "sslpassword"),
        ("postgresql://me:s3cr@db/x?nothing", "no URL of a PostgreSQL database"),
    ],
)
def test_a_url_that_cannot_be_kept_is_refused_without_naming_it(
    url: str, says: str, tmp_path: Path
) -> None:
    with pytest.raises(DevstackError, match=says) as refused:
        kept_apart(url, tmp_path / "none")
    assert "s3cr" not in str(refused.value)
