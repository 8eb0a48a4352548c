"""The example queries and their answers: `python -m tests.projector.golden_queries` writes them."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from typing import Any

import psycopg
from psycopg import Connection

from devstack import destroy, start_services
from devstack.system.process_identity import myself
from projector.migrations import migrate
from tests import services
from tests.projector.mixed import mixed
from tests.projector.shown import of_account, show
from tests.projector.views.test_settlement_flows import FLOWS
from tools.program import arguments

FOLDER = Path(__file__).parent.parent.parent / "docs" / "queries"
QUERIES = sorted(FOLDER.glob("*.sql"))


def fill(conninfo: str) -> None:
    """The made-up ledger that the answers are of."""
    migrate(conninfo)
    flows = [of_account(flow(), f"acct-f{number:02}") for number, flow in enumerate(FLOWS)]
    show(conninfo, [*mixed(2), *flows])


def answer(connection: Connection[Any], query: Path) -> str:
    """The answer as CSV, instants in UTC."""
    connection.execute("SET TIME ZONE 'UTC'")
    rows = connection.execute(query.read_text("utf-8").encode())
    assert rows.description is not None
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in rows.description])
    writer.writerows(rows.fetchall())
    return text.getvalue()


def main() -> None:
    """Write every answer anew, with a database of its own."""
    home = Path(tempfile.mkdtemp(prefix="refunds-queries-"))
    try:
        server = start_services(home, myself()).database_url
        with services.fresh_database(server) as conninfo:
            fill(conninfo)
            with psycopg.connect(conninfo, autocommit=True) as connection:
                for query in QUERIES:
                    query.with_suffix(".csv").write_text(answer(connection, query), "utf-8")
    finally:
        destroy(home)


if __name__ == "__main__":
    arguments(__doc__)
    main()
