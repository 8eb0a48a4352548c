"""Every cell of the access matrix is tried on a real database, allowed and forbidden."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import Connection, errors

from devstack import Services
from ledger.log.access import Matrix, Right, read_matrix
from projector.migrations import migrate
from projector.rights.catalogue import standing
from projector.rights.granting import differences, grant
from tests.projector.mixed import mixed
from tests.projector.rights.attempts import ATTEMPTS, Attempts, give_passwords
from tests.projector.shown import show
from tests.services import fresh_database

pytestmark = pytest.mark.integration

MATRIX = read_matrix()
FOREIGN = Right(principal="finance", kind="table", name="read_models.outcomes", operation="SELECT")


@pytest.fixture(scope="module")
def granted(services: Services) -> Iterator[Connection[Any]]:
    """A superuser's connection to a database with rows, where the matrix is written."""
    with fresh_database(services.database_url) as database:
        migrate(database)
        show(database, mixed(1))
        with psycopg.connect(database, autocommit=True) as connection:
            grant(connection, MATRIX)
            give_passwords(connection, [role.name for role in MATRIX.roles.values()])
            yield connection


def cells(connection: Connection[Any]) -> list[tuple[str, str, str]]:
    """Kind, name and operation: every operation that there is on everything in the database."""
    with connection.transaction():
        found = standing(connection, MATRIX)
    roles = [("role", role.name) for role in MATRIX.roles.values()]
    things = [*found.targets, *roles, ("server", "server")]
    return [(kind, name, each) for kind, name in things for each in ATTEMPTS[kind]]


def wrong_cells(connection: Connection[Any], principal: str, matrix: Matrix = MATRIX) -> list[str]:
    """The cells of a principal in which the database does another thing than the matrix says."""
    tried = Attempts(connection, MATRIX.roles[principal].name)
    wrong = []
    for kind, name, operation in cells(connection):
        right = Right(principal=principal, kind=kind, name=name, operation=operation)
        own = kind == "role" and name == MATRIX.roles[principal].name
        says = own or right in matrix.rights_on(kind, name)
        if tried.allowed(kind, name, operation) is not says:
            wrong.append(f"{'not ' if says else ''}allowed: {right}")
    return wrong


@pytest.mark.parametrize("principal", MATRIX.roles)
def test_every_cell_of_a_role_is_as_the_matrix_says(
    granted: Connection[Any], principal: str
) -> None:
    assert wrong_cells(granted, principal) == []


def test_there_are_many_cells_and_each_names_something(granted: Connection[Any]) -> None:
    found = cells(granted)
    assert len(found) * len(MATRIX.roles) > 1_000
    things = {(kind, name) for kind, name, _ in found}
    entries = [each for each in MATRIX.things if each[0] in ATTEMPTS]
    unused = [
        (of, entry)
        for of, entry in entries
        if not any(kind == of and name.startswith(entry.rstrip("*")) for kind, name in things)
    ]
    assert unused == []


def test_a_wrong_grant_is_found_tried_and_removed(granted: Connection[Any]) -> None:
    assert differences(granted, MATRIX).count == 0
    granted.execute("GRANT SELECT ON read_models.outcomes TO finance_ro")
    granted.execute("GRANT USAGE ON SCHEMA read_models TO finance_ro")
    assert FOREIGN in differences(granted, MATRIX).surplus
    assert f"allowed: {FOREIGN}" in wrong_cells(granted, "finance")
    assert FOREIGN in grant(granted, MATRIX).surplus
    assert wrong_cells(granted, "finance") == []


@pytest.mark.parametrize(
    ("planted", "right"),
    [
        ("GRANT refunds_projector TO finance_ro", "finance may SET role refunds_projector"),
        ("GRANT pg_read_all_data TO finance_ro", "finance may SET role pg_read_all_data"),
        ("ALTER ROLE refunds_auditor CREATEROLE", "auditor may CREATEROLE server server"),
        ("GRANT SELECT ON finance.quotas TO PUBLIC", "* may SELECT view finance.quotas"),
        (
            "ALTER TABLE consumers.deadlines OWNER TO refunds_deadlines",
            "reactions may OWN table consumers.deadlines",
        ),
    ],
)
def test_a_right_that_comes_another_way_is_found_and_removed(
    granted: Connection[Any], planted: str, right: str
) -> None:
    with granted.transaction(force_rollback=True):
        granted.execute(planted.encode())
        assert right in [str(each) for each in differences(granted, MATRIX).surplus]
        grant(granted, MATRIX)
        assert differences(granted, MATRIX).count == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE read_models.outcomes SET refused = NOT refused",
        "UPDATE read_models.outcomes SET refused = false WHERE false",
        "DELETE FROM read_models.outcomes",
        "TRUNCATE read_models.outcomes",
    ],
)
def test_an_event_is_never_changed_not_even_by_a_superuser(
    granted: Connection[Any], statement: str
) -> None:
    with pytest.raises(errors.RaiseException, match="keeps every event as it is") as refused:
        granted.execute(statement.encode())
    assert "refundctl rebuild --view outcomes" in (refused.value.diag.message_hint or "")


def test_every_role_has_limits_of_time(granted: Connection[Any]) -> None:
    for role in MATRIX.roles.values():
        row = granted.execute(
            "SELECT rolconfig FROM pg_roles WHERE rolname = %s", (role.name,)
        ).fetchone()
        assert row is not None
        assert {f"{key}={value}" for key, value in role.settings.items()} <= set(row[0])
        assert {"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"} <= set(
            role.settings
        )
