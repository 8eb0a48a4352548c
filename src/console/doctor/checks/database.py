"""The database answers, in a version that is known, and has this program's tables."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from console.doctor.finding import Finding, error, fine, warning
from console.doctor.patient import Patient
from console.terminal.errors import first_line
from projector.migrations import unapplied

OLDEST = 15
"""The first with `security_invoker` views."""


def database(patient: Patient) -> Iterator[Finding]:
    """Whether it can be reached, and its migrations."""
    _ = patient.ledger
    try:
        connection = patient.database
    except psycopg.Error as why:
        yield error(
            f"the database does not answer: {first_line(why)}",
            "the read models and the deadlines stand still; commands are decided all the same",
            "start it, or correct DATABASE_URL",
        )
        return
    yield _of_version(connection.info.server_version // 10_000)
    missing, unknown = unapplied(connection)
    if missing:
        yield warning(
            f"migrations are not applied yet: {', '.join(missing)}",
            "read models and queries of this version do not find their tables",
            "start this version's projector, or run 'refundctl init'",
        )
    if unknown:
        yield error(
            f"the database has migrations that this program does not know: {', '.join(unknown)}",
            "a newer version has used it, and this one does not write to it",
            "install the newer version again",
        )
    if not missing and not unknown:
        yield fine("the database answers and has all tables")


def _of_version(found: int) -> Finding:
    what = f"the database is PostgreSQL {found}"
    if found >= OLDEST:
        return fine(what)
    return error(what, "views for finance need version 15", "update it to 15 or newer")
