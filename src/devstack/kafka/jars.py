"""The broker's jars, in a cache; they are used only if they are the locked ones."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from devstack.errors import DevstackError
from devstack.kafka.jar_lock import Jar, sha256_of

if TYPE_CHECKING:
    from rich.console import Console


def cache_folder(env: Mapping[str, str] = os.environ) -> Path:
    """`REFUNDS_CACHE`, or by default the user's cache folder."""
    chosen = env.get("REFUNDS_CACHE")
    if chosen:
        return Path(chosen).expanduser().resolve()
    # Of the extra `embedded`, as all that a broker of our own needs.
    from platformdirs import user_cache_path

    return user_cache_path("refund-ledger")


def classpath(
    jars: Sequence[Jar], cache: Path, base: str | None, console: Console | None
) -> tuple[Path, ...]:
    """The verified jars in the cache. Missing ones are downloaded from `base` (None: the default),
    with a progress bar on the console (None: stderr).

    Raises DevstackError if a jar in the cache or a downloaded one is not the locked one, or if
    the repository cannot be reached. Processes that fill the same cache wait for each other.
    """
    folder = cache / "jars"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _fill(jars, folder, base, console)
    except OSError as error:
        raise DevstackError(
            f"cannot fill the cache {cache}: {error.strerror or error}. Free disk space there, or "
            "set REFUNDS_CACHE to a folder that can be written."
        ) from error
    for jar in jars:
        _verify(folder / jar.name, jar)
    return tuple(folder / jar.name for jar in jars)


def _fill(jars: Sequence[Jar], folder: Path, base: str | None, console: Console | None) -> None:
    if all((folder / jar.name).exists() for jar in jars):
        return
    # Imported here: a filled cache needs no network client.
    from devstack.kafka.download import PARTIAL, fetch_all

    with _only_one(folder.with_name("jars.lock")):
        for left in folder.glob(f"{PARTIAL}*"):
            left.unlink()
        missing = [jar for jar in jars if not (folder / jar.name).exists()]
        fetch_all(missing, folder, base, console)


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _verify(path: Path, jar: Jar) -> None:
    found = sha256_of(path)
    if found != jar.sha256:
        raise DevstackError(
            f"{path} is corrupt: SHA-256 {found}, the lock has {jar.sha256}. "
            "Delete this file and start again; it will be downloaded again."
        )
