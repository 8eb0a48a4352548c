"""A broker and a database while a block of code runs, for tests and experiments."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from devstack.errors import DevstackError
from devstack.stack import destroy, up
from devstack.status import Plan
from devstack.system.process_identity import Identity, myself


class Services(Struct, frozen=True, kw_only=True):
    """The addresses of the services."""

    bootstrap: str
    database_url: str


@contextmanager
def services(home: Path | None = None) -> Iterator[Services]:
    """Run a broker and a database in a new home and delete them at the end.

    They end with this process, even if it is killed. A crash of the machine loses their data: the
    database does not sync.
    """
    with tempfile.TemporaryDirectory(prefix="refunds-services-") as spare:
        folder = home or Path(spare)
        try:
            yield start_services(folder, myself())
        finally:
            destroy(folder)


def start_services(home: Path, owner: Identity) -> Services:
    """Run them in the home until the owner process ends; `destroy` ends them earlier."""
    seen = up(home, Plan(durable=False, owner=owner))
    if seen.bootstrap is None or seen.database_url is None:
        raise DevstackError(f"the services in {home} have no address: {seen.state}.")
    return Services(bootstrap=seen.bootstrap, database_url=seen.database_url)
