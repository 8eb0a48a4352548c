"""Finds the running ledger: the addresses of its broker and database, and its kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from console.terminal.errors import URL_RULE, BadInput, Failed

if TYPE_CHECKING:
    from psycopg import Connection

    from console.running.settings import Settings
    from devstack import Status
    from ledger.log.kafka import KafkaSettings
    from ledger.log.kafka.client.security import KafkaSecurity

DEFAULT_PARTITIONS = 4

PARTITIONS, SANDBOX, TERMS, BROKERS = "partitions", "sandbox", "terms", "brokers"
SECURED, ORIGINS = "secured", "origins"
"""What `up` stores with a stack for other commands."""


class OwnOrigin(Struct, frozen=True, kw_only=True):
    """What the environment says of the origin of this program; `name` is `<origin>/<key id>`."""

    name: str
    key_file: Path


class Ledger(Struct, frozen=True, kw_only=True):
    """The addresses of a ledger. `prefix` distinguishes its topics from those of other ledgers on
    the same brokers; `terms` is the path of additional terms, `origins` the folder of the table of
    origins; `own_origin` signs what this program publishes.
    """

    bootstrap: str
    database_url: str
    partition_count: int
    prefix: str = ""
    terms: Path | None = None
    kafka_times: dict[str, float] = {}
    security: KafkaSecurity | None = None
    origins: Path | None = None
    own_origin: OwnOrigin | None = None

    @property
    def kafka(self) -> KafkaSettings:
        """The settings of the Kafka clients."""
        from ledger.log.kafka.client.security import OPEN
        from ledger.log.kafka.client.settings import KafkaSettings, with_times

        settings = KafkaSettings(
            bootstrap=self.bootstrap,
            partition_count=self.partition_count,
            prefix=self.prefix,
            security=self.security or OPEN,
        )
        try:
            return with_times(settings, self.kafka_times)
        except ValueError as error:
            raise BadInput(f"REFUNDS_KAFKA_TIMES: {error}") from error


def find_ledger(settings: Settings) -> Ledger:
    """The ledger of KAFKA_BOOTSTRAP and DATABASE_URL, or else the stack that runs in the home
    folder.

    From here on records are read and written with the schema registry, if one is set.
    """
    use_schema_registry(settings)
    if settings.kafka_bootstrap is not None:
        if settings.database_url is None:
            raise BadInput(
                "KAFKA_BOOTSTRAP is set but DATABASE_URL is not; set both, or neither to use the "
                "stack of 'refundctl up'"
            )
        from console.running.kafka_access import kafka_security

        return Ledger(
            bootstrap=settings.kafka_bootstrap,
            database_url=_readable(settings.database_url),
            partition_count=settings.partitions or DEFAULT_PARTITIONS,
            prefix=settings.prefix,
            terms=settings.terms_path,
            kafka_times=settings.kafka_times,
            security=kafka_security(),
            origins=settings.origins_folder,
            own_origin=own_origin_of(settings),
        )
    refuse_unused_security("the stack of 'refundctl up' is used")
    from devstack import status

    found = running_in(status(settings.home_folder))
    terms = found.terms if settings.terms is None else settings.terms_path
    return replace(
        found,
        terms=terms,
        kafka_times=settings.kafka_times,
        origins=found.origins if settings.origins is None else settings.origins_folder,
        own_origin=own_origin_of(settings),
    )


def _readable(database_url: str) -> str:
    """The same; BadInput if it is no URL. Nothing of it is quoted: a part may be the password."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        host = str(conninfo_to_dict(database_url).get("host", ""))
    except ProgrammingError:
        host = None
    # A password with an @ in it would be the beginning of the host, which errors do quote.
    if host is None or "@" in host:
        raise BadInput(f"DATABASE_URL cannot be used: {URL_RULE}")
    return database_url


def own_origin_of(settings: Settings) -> OwnOrigin | None:
    """The origin that the environment names, if it does."""
    if (settings.origin is None) != (settings.origin_key_file is None):
        raise BadInput("REFUNDS_ORIGIN and REFUNDS_ORIGIN_KEY_FILE belong together; set both")
    if settings.origin is None or settings.origin_key_file is None:
        return None
    return OwnOrigin(name=settings.origin, key_file=settings.origin_key_file.expanduser())


def refuse_unused_security(why: str) -> None:
    """BadInput where the environment says how to speak to brokers that are not ours."""
    from console.running.kafka_access import KafkaAccess

    told = KafkaAccess().told()
    if told:
        raise BadInput(
            f"{' and '.join(told)} set, but KAFKA_BOOTSTRAP is not, so {why}; set it too, or unset "
            f"{'it' if len(told) == 1 else 'them'}"
        )


def use_schema_registry(settings: Settings, *, register: bool = False) -> None:
    """Frame records by the registry of SCHEMA_REGISTRY_URL, if that is set.

    Registers our schemas; RegistryUnavailable if the registry does not answer.
    """
    if settings.schema_registry_url is None:
        return
    from console.running.secret_files import one_secret
    from ledger.wire.avro.codec import use_registry
    from ledger.wire.avro.schema_registry import SchemaRegistry

    registry = SchemaRegistry(
        settings.schema_registry_url,
        user=settings.schema_registry_user,
        password=one_secret(
            ("SCHEMA_REGISTRY_PASSWORD", "SCHEMA_REGISTRY_PASSWORD_FILE"),
            settings.schema_registry_password,
            settings.schema_registry_password_file,
        ),
        ca_file=settings.schema_registry_ca_file,
    )
    if register:
        registry.register_all()
    use_registry(registry)


def running_in(seen: Status) -> Ledger:
    """The ledger of a stack. Raises Failed if it does not run."""
    from console.running.kafka_access import security_of_file
    from devstack import State

    running = seen.state in (State.RUNNING, State.DEGRADED)
    if not running or seen.bootstrap is None or seen.database_url is None:
        raise Failed(
            f"no ledger runs in {seen.home} ({seen.state}); start it with 'refundctl up', or set "
            "REFUNDS_HOME to the folder of one that runs"
        )
    return Ledger(
        bootstrap=seen.bootstrap,
        database_url=seen.database_url,
        partition_count=int(seen.metadata.get(PARTITIONS, DEFAULT_PARTITIONS)),
        terms=Path(seen.metadata[TERMS]) if TERMS in seen.metadata else None,
        security=security_of_file(properties_of(seen.home, "operator"))
        if SECURED in seen.metadata
        else None,
        origins=origins_of(seen),
    )


def origins_of(seen: Status) -> Path:
    """Where a stack has its table of origins, which need not exist."""
    return Path(seen.metadata.get(ORIGINS, seen.home / "origins"))


def properties_of(home: Path, principal: str) -> Path:
    """Where a secured stack keeps how that principal connects."""
    from devstack.kafka.security import client_file
    from devstack.status import Layout

    return client_file(Layout(home=home).security, principal)


@contextmanager
def connected(database_url: str) -> Iterator[Connection[Any]]:
    """A connection for this command; each statement is its own transaction."""
    import psycopg

    with psycopg.connect(database_url, autocommit=True, connect_timeout=10) as connection:
        yield connection


def is_sandbox(connection: Connection[Any]) -> bool:
    """Whether the ledger is a sandbox; the row is created together with a sandbox."""
    from psycopg import errors

    try:
        row = connection.execute("SELECT now_at FROM consumers.sandbox_clock").fetchone()
    except (errors.UndefinedTable, errors.InvalidSchemaName) as error:
        raise Failed(
            f"database {connection.info.dbname!r} has no ledger yet; create one with 'refundctl up'"
        ) from error
    return row is not None
