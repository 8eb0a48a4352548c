"""Finance sees the rows of its groups of accounts alone, where that was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import Connection, errors

from devstack import Services
from ledger.log.access import read_matrix
from projector.migrations import migrate
from projector.rebuilding import shadow_tables
from projector.rights.granting import differences, grant
from projector.views import VIEWS
from tests.projector.mixed import mixed
from tests.projector.rights.attempts import Attempts, give_passwords
from tests.projector.rights.test_database_matrix import wrong_cells
from tests.projector.shown import show
from tests.services import fresh_database

pytestmark = pytest.mark.integration

MATRIX = read_matrix()
READER = "finance_of_the_tests"
WITH_ACCOUNTS = """
SELECT format('%I.%I', table_schema, table_name) FROM information_schema.columns
WHERE table_schema IN ('finance', 'read_models') AND column_name = 'account_id'
    AND table_name NOT IN ('account_groups', 'visible_accounts') ORDER BY 1
"""


@pytest.fixture(scope="module")
def apart(services: Services) -> Iterator[Connection[Any]]:
    """A superuser's connection; the reader's group has one account."""
    with fresh_database(services.database_url) as database:
        migrate(database)
        show(database, mixed(1))
        with psycopg.connect(database, autocommit=True) as connection:
            grant(connection, MATRIX, "groups")
            give_passwords(connection, [role.name for role in MATRIX.roles.values()])
            connection.execute(f"DROP ROLE IF EXISTS {READER}".encode())
            connection.execute(f"CREATE ROLE {READER} IN ROLE finance_ro".encode())
            connection.execute(
                "INSERT INTO finance.account_groups SELECT 'one', min(account_id)"
                " FROM read_models.accounts"
            )
            connection.execute("INSERT INTO finance.group_readers VALUES ('one', %s)", (READER,))
            try:
                yield connection
            finally:
                connection.execute(f"DROP ROLE {READER}".encode())


def accounts_seen(connection: Connection[Any], role: str) -> dict[str, set[str]]:
    """By table and view, the accounts whose rows that role sees."""
    names = [name for (name,) in connection.execute(WITH_ACCOUNTS.encode())]
    with connection.transaction(force_rollback=True):
        connection.execute(f"SET SESSION AUTHORIZATION {role}".encode())
        return {
            name: {row[0] for row in connection.execute(f"SELECT account_id FROM {name}".encode())}
            for name in names
        }


@pytest.mark.parametrize("principal", MATRIX.roles)
def test_every_cell_of_a_role_is_as_the_matrix_says(apart: Connection[Any], principal: str) -> None:
    assert MATRIX.by_group is not None
    assert wrong_cells(apart, principal, MATRIX.by_group) == []


def test_a_reader_sees_the_accounts_of_its_group_in_every_view_and_no_other(
    apart: Connection[Any],
) -> None:
    (mine,) = apart.execute("SELECT account_id FROM finance.account_groups").fetchone() or ("",)
    found = accounts_seen(apart, READER)
    assert len(found) > 20
    assert set().union(*found.values()) == {mine}


@pytest.mark.parametrize(
    ("role", "everything"),
    [("finance_ro", False), ("refunds_auditor", True), ("refunds_projector", True)],
)
def test_who_is_in_no_group_sees_nothing_and_who_keeps_the_books_sees_all(
    apart: Connection[Any], role: str, everything: bool
) -> None:
    superuser = accounts_seen(apart, "postgres")
    assert len(set().union(*superuser.values())) > 1
    found = accounts_seen(apart, role)
    assert found == (superuser if everything else {name: set() for name in superuser})


@pytest.mark.parametrize(
    ("planted", "right"),
    [
        (
            "CREATE POLICY planted ON read_models.refunds USING (true)",
            "* may PERMISSIVE ALL true rows read_models.refunds",
        ),
        (
            "CREATE POLICY planted ON read_models.refunds FOR SELECT TO finance_ro USING (true)",
            "finance may ALL rows read_models.refunds",
        ),
        (
            "ALTER VIEW finance.refunds RESET (security_invoker)",
            "* may INVOKER rows finance.refunds",
        ),
        (
            "ALTER TABLE read_models.refunds NO FORCE ROW LEVEL SECURITY",
            "finance may GROUPS rows read_models.refunds",
        ),
        (
            "ALTER TABLE read_models.refunds DISABLE ROW LEVEL SECURITY",
            "finance may GROUPS rows read_models.refunds",
        ),
    ],
)
def test_a_way_around_the_policies_is_found_and_closed(
    apart: Connection[Any], planted: str, right: str
) -> None:
    assert differences(apart, MATRIX).count == 0
    with apart.transaction(force_rollback=True):
        apart.execute(planted.encode())
        found = differences(apart, MATRIX)
        assert right in [str(each) for each in (*found.missing, *found.surplus)]
        grant(apart, MATRIX)
        assert differences(apart, MATRIX).count == 0


def test_the_groups_are_not_the_readers_business(apart: Connection[Any]) -> None:
    for name in ("account_groups", "group_readers"):
        assert not Attempts(apart, READER).allowed("table", f"finance.{name}", "SELECT")


def test_tables_that_are_swapped_in_have_the_policies(apart: Connection[Any]) -> None:
    names = [view.TABLE.name for view in VIEWS]
    with apart.transaction(force_rollback=True):
        shadow_tables.act_as_owner(apart)
        shadow_tables.make(apart, names, "a plan")
        shadow_tables.put_in_place(apart, names)
        apart.execute("RESET ROLE")
        assert differences(apart, MATRIX).count == 0


def test_finance_sees_everything_again_once_that_is_asked_for(apart: Connection[Any]) -> None:
    with apart.transaction(force_rollback=True):
        grant(apart, MATRIX, "all")
        assert differences(apart, MATRIX).count == 0
        apart.execute("SET SESSION AUTHORIZATION finance_ro")
        assert apart.execute("SELECT count(DISTINCT account_id) > 1 FROM finance.events").fetchone()
        with pytest.raises(errors.InsufficientPrivilege):
            apart.execute("SELECT FROM read_models.refunds")
