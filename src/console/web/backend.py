"""What all routes share: the database's connections, the publisher, the terms."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from psycopg import Connection
from psycopg_pool import ConnectionPool

from console.explaining.folded_accounts import FoldedAccounts
from console.running.ledger_locator import Ledger, is_sandbox
from console.running.origins.own_signature import CONSOLE, signing_where_required
from console.running.settings import read_settings
from console.running.terms_files import terms_in_force
from console.sealing.giving import concerns_texts, refuse_too_long, sealing_with
from console.sealing.master_key import master_key
from console.sealing.showing import Opener
from console.terminal.errors import BadInput
from console.web.approving.limits import limits_of
from console.web.log_records import LogRecords
from consumers.clock import SandboxClock
from ledger.log.kafka import KafkaTools
from ledger.log.seam import LogUnavailable, Outgoing, Published
from ledger.terms.table import TermsTable
from ledger.values.instants import Instant
from ledger.values.money import Currency
from ledger.vocabulary.envelope import GivenCommand

_POOL = 16
_PATIENCE_SECONDS = 5.0


class Backend:
    """One for the process. `open` needs nothing to answer; each request finds out anew."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.terms: TermsTable = terms_in_force(ledger)
        self.folded = FoldedAccounts()
        self._pool = ConnectionPool(
            ledger.database_url,
            min_size=1,
            max_size=_POOL,
            timeout=_PATIENCE_SECONDS,
            kwargs={"autocommit": True, "connect_timeout": 5},
            open=False,
        )
        self.signing = signing_where_required(ledger, CONSOLE)
        self.records = LogRecords(ledger.kafka)
        settings = read_settings()
        self.master = master_key(settings)
        self.limits, self.approval_hours = limits_of(settings), settings.approval_hours
        self._tools: KafkaTools | None = None
        self._publishing = threading.Lock()

    def open(self) -> None:
        """Begin to hold connections."""
        self._pool.open(wait=False)

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()
        self.records.close()
        if self._tools is not None:
            self._tools.close()

    @contextmanager
    def connection(self) -> Iterator[Connection[Any]]:
        """A connection to the read models; each statement is its own transaction."""
        with self._pool.connection() as connection:
            yield connection

    @property
    def partition_count(self) -> int:
        """Partitions of every topic."""
        return self.ledger.partition_count

    def publish(self, records: Sequence[Outgoing]) -> tuple[Published, ...]:
        """Append commands to the log; returns once the log has them. Raises LogUnavailable."""
        if not self._publishing.acquire(timeout=_PATIENCE_SECONDS):
            raise LogUnavailable("others wait for the brokers to answer; send it again later")
        try:
            if self._tools is None:
                self._tools = KafkaTools(self.ledger.kafka)
            return self._tools.publish(records)
        finally:
            self._publishing.release()

    def too_long(self, given: GivenCommand) -> str | None:
        """Why a text of the command cannot be sealed; None if it can, or is not to be."""
        try:
            if self.master is not None:
                refuse_too_long(given)
        except BadInput as error:
            return str(error)
        return None

    @contextmanager
    def sealed(self, given: Sequence[GivenCommand]) -> Iterator[Sequence[GivenCommand]]:
        """The commands with their free texts sealed, where there is a master key, to be published
        before its end; commands without such texts need no database.
        """
        if self.master is None or not any(map(concerns_texts, given)):
            yield given
            return
        with self.connection() as connection, sealing_with(connection, self.master)(given) as done:
            yield done

    def opener(self, connection: Connection[Any], *, may_read: bool) -> Opener:
        """Shows sealed texts to whoever may read them, and a word in their place to others."""
        return Opener(connection, self.master if may_read else None)

    def currencies(self, accounts: Iterable[str]) -> dict[str, Currency]:
        """Account → currency, of those accounts that there are."""
        with self.connection() as connection:
            rows = connection.execute(
                "SELECT account_id, currency FROM finance.accounts WHERE account_id = ANY(%s)",
                (sorted(accounts),),
            )
            return dict(rows.fetchall())

    def sandbox_at(self) -> Instant | None:
        """The instant of a sandbox's clock; None for a ledger in real time."""
        with self.connection() as connection:
            return SandboxClock(connection).now() if is_sandbox(connection) else None
