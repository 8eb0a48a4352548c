"""Each role does its own work with the rights that the matrix gives it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import make_conninfo

from consumers.deadlines.schedule import PutDeadline
from consumers.deadlines.table import DeadlineTable
from consumers.deciding.files import Place
from consumers.deciding.recording import ChainEnd
from consumers.deciding.snapshots.postgres import PostgresSnapshots
from consumers.deciding.snapshots.seam import Claim, Kept
from consumers.webhooks import keeping
from consumers.webhooks.sending import Delivery, Failure, RunEnd
from consumers.webhooks.table import Told, WebhookTable
from ledger.log.access import read_matrix
from ledger.wire.avro.codec import encode_command
from projector.migrations import WrongDatabase, migrate
from projector.rebuilding.rebuild import rebuild
from projector.reconciling.reconcile import reconcile
from projector.rights.granting import WrongRights, differences, grant
from projector.views import VIEWS
from tests.consumers.deadlines.test_table import the_deadline
from tests.consumers.webhooks.bench import plain
from tests.projector.conftest import catch_up, dump
from tests.projector.rights.attempts import PASSWORD, give_passwords
from tests.projector.stories import MemorySource, told

pytestmark = pytest.mark.integration

MATRIX = read_matrix()
As = Callable[[str], str]


@pytest.fixture
def role(migrated: str) -> As:
    """The conninfo of a role of the migrated database, where the matrix is written."""
    with psycopg.connect(migrated, autocommit=True) as connection:
        grant(connection, MATRIX)
        give_passwords(connection, [role.name for role in MATRIX.roles.values()])
    return lambda principal: make_conninfo(
        migrated, user=MATRIX.roles[principal].name, password=PASSWORD
    )


@pytest.fixture
def source() -> MemorySource:
    story = told()
    source = MemorySource(story.partition_count)
    source.append(story.values)
    return source


def wrong(migrated: str) -> int:
    with psycopg.connect(migrated) as connection:
        return differences(connection, MATRIX).count


def test_the_projector_fills_the_read_models_and_rebuilds_them(
    migrated: str, role: As, source: MemorySource
) -> None:
    catch_up(role("projector"), source)
    before = dump(migrated)
    assert rebuild(role("projector"), source, VIEWS, verify=True).divergences == ()
    assert dump(migrated) == before
    assert wrong(migrated) == 0


def test_the_operator_rebuilds_as_the_projector(
    migrated: str, role: As, source: MemorySource
) -> None:
    catch_up(role("projector"), source)
    rebuild(role("operator"), source, VIEWS)
    assert wrong(migrated) == 0


def test_a_superuser_who_rebuilds_leaves_the_rights_as_they_are(
    migrated: str, role: As, source: MemorySource
) -> None:
    catch_up(role("projector"), source)
    rebuild(migrated, source, VIEWS)
    assert wrong(migrated) == 0


def test_a_rebuilt_table_of_events_still_refuses_changes(
    migrated: str, role: As, source: MemorySource
) -> None:
    catch_up(role("projector"), source)
    rebuild(role("projector"), source, VIEWS)
    with psycopg.connect(migrated) as connection, pytest.raises(errors.RaiseException):
        connection.execute("DELETE FROM read_models.outcomes")


@pytest.mark.parametrize("principal", ["auditor", "operator", "projector"])
def test_who_reads_everything_compares_it_with_the_log(
    role: As, source: MemorySource, principal: str
) -> None:
    catch_up(role("projector"), source)
    assert reconcile(role(principal), source).divergences == ()


def test_the_deadlines_are_kept_by_their_role(role: As) -> None:
    put: PutDeadline = the_deadline()
    with psycopg.connect(role("reactions"), autocommit=True) as connection:
        table = DeadlineTable(connection)
        table.keep([(0, put)], {0: 1}, "topic-1")
        (due,) = table.due(put.due_at, 10, released=False)
        assert due.command == encode_command(put.command)
        table.mark_sent([due], put.due_at)
        assert table.due(put.due_at, 10, released=False) == []
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("SELECT FROM read_models.outcomes")


def test_the_snapshots_are_kept_by_the_decider_and_may_be_deleted_by_the_operator(
    role: As,
) -> None:
    claim = Claim(partition=0, owner="one")
    place = Place(topic_id="t-1", end=ChainEnd(log_sequence=0))
    row = ("acct-1", "Stream", "", b"1")
    with closing(PostgresSnapshots(role("decider"))) as snapshots:
        assert snapshots.take_over(claim) is None
        for again in range(2):
            with snapshots.writing(claim) as draft:
                if not again:
                    draft.clear()
                draft.put([row])
                draft.move(Kept(place=place, owner="one", revision=again))
        assert snapshots.accounts(claim, ["acct-1"], 10) == [row]
    for name in ("decider_snapshots", "decider_entities"):
        with psycopg.connect(role("auditor")) as reader:
            assert reader.execute(f"SELECT FROM consumers.{name}".encode()).rowcount == 1
        with psycopg.connect(role("operator")) as person:
            assert person.execute(f"DELETE FROM consumers.{name}".encode()).rowcount == 1


def test_who_finds_the_database_up_to_date_needs_no_right_to_change_it(role: As) -> None:
    assert migrate(role("projector")) == ()


def test_who_may_not_bring_the_database_up_to_date_is_told_who_may(migrated: str, role: As) -> None:
    role("projector")
    with psycopg.connect(migrated) as connection:
        connection.execute("UPDATE refund_ledger.migrations SET sha256 = 'x' WHERE name ~ 'views'")
    with pytest.raises(WrongDatabase, match="run 'refundctl init' as the owner of the database"):
        migrate(role("projector"))


def test_views_that_are_made_anew_have_their_rights_and_their_owner(
    migrated: str, role: As
) -> None:
    role("finance")
    with psycopg.connect(migrated) as connection:
        connection.execute("UPDATE refund_ledger.migrations SET sha256 = 'x' WHERE name ~ 'views'")
    assert migrate(migrated) == ("finance views",)
    assert wrong(migrated) == 0


def test_an_owner_who_may_create_roles_writes_the_matrix_without_being_a_superuser(
    database: str,
) -> None:
    owner = f"owner_{uuid4().hex[:8]}"
    with psycopg.connect(database, autocommit=True) as admin:
        name = admin.info.dbname
        admin.execute(f"CREATE ROLE {owner} LOGIN CREATEROLE PASSWORD '{PASSWORD}'".encode())
        admin.execute(f'ALTER DATABASE "{name}" OWNER TO {owner}'.encode())
        for each in MATRIX.roles.values():
            admin.execute(f"GRANT {each.name} TO {owner} WITH ADMIN TRUE".encode())
        conninfo = make_conninfo(database, user=owner, password=PASSWORD)
        try:
            migrate(conninfo)
            with psycopg.connect(conninfo, autocommit=True) as connection:
                grant(connection, MATRIX)
                assert differences(connection, MATRIX).count == 0
        finally:
            admin.execute(f'ALTER DATABASE "{name}" OWNER TO CURRENT_USER'.encode())
            admin.execute(f"REASSIGN OWNED BY {owner} TO CURRENT_USER".encode())
            admin.execute(f"DROP OWNED BY {owner}".encode())
            for each in MATRIX.roles.values():
                admin.execute(f"REVOKE {each.name} FROM {owner}".encode())
            admin.execute(f"DROP ROLE {owner}".encode())


def test_who_may_not_make_a_role_is_told_what_to_do(role: As) -> None:
    with (
        psycopg.connect(role("reactions"), autocommit=True) as connection,
        pytest.raises(WrongRights, match="run this as a superuser, or as the owner"),
    ):
        grant(connection, MATRIX)


@pytest.mark.parametrize("who", ["operator", "console"])
def test_who_adds_a_webhook_cannot_read_its_secret_and_who_signs_can(role: As, who: str) -> None:
    with (
        psycopg.connect(role(who), autocommit=True) as operator,
        psycopg.connect(role("webhooks"), autocommit=True) as process,
    ):
        hook, secret = keeping.add(operator, "https://a.example/", (), lambda: (0,), plain)
        keeping.rotate(operator, hook, timedelta(hours=1), plain)
        assert [each.hook_id for each in keeping.shown(operator)] == [hook]
        with pytest.raises(errors.InsufficientPrivilege):
            operator.execute("SELECT FROM webhooks.secrets")
        with psycopg.connect(role("operator"), autocommit=True) as replacing:
            assert replacing.execute("SELECT FROM webhooks.wrapped_secrets").fetchall() == []
        table = WebhookTable(process)
        (found,) = table.hooks()
        assert found.secrets[1].stored == secret
        delivery = Delivery(offset=0, webhook_id="msg_1", body=b"{}")
        told_of = Told(hook_id=hook, account_id="acct-1", delivery=delivery)
        with table.reading():
            table.keep([told_of], {0: 1}, "t", 0)
        (run,) = table.runs(0, {hook: found}, {}, 8)
        table.record(RunEnd(run=run, delivered=0, failure=Failure(why="no")), 0, 0.5)
        process.execute("UPDATE webhooks.queues SET state = 'DEAD'")
        assert keeping.skip(operator, hook, "acct-1") == "msg_1"
        assert keeping.redrive(operator, hook, None, 0) == 0
        assert keeping.pause(operator, hook)
        assert keeping.test(operator, hook, 0)
        assert table.runs(0, {hook: found}, {}, 8) == []
        assert keeping.resume(operator, hook, 0)
        (run,) = table.runs(0, {hook: found}, {}, 8)
        assert run.account_id == ""
        assert keeping.end(operator, hook, "no more")
        assert table.sweep()
        assert not table.sweep()
