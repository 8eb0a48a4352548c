"""The broker's jars: named in a committed lock, kept in a cache, handed out only if they match."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from platformdirs import user_cache_path

from devstack.errors import DevstackError

if TYPE_CHECKING:
    from rich.console import Console

LOCK_FILE = Path(__file__).with_name("kafka.lock")


class Jar(Struct, frozen=True, kw_only=True):
    """One locked jar. `sha256` is lower-case hexadecimal."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def name(self) -> str:
        """The file's name, in the cache and in a repository."""
        return f"{self.artifact}-{self.version}.jar"

    @property
    def path(self) -> str:
        """Where a repository in Maven's layout keeps it, relative to the base."""
        return f"{self.group.replace('.', '/')}/{self.artifact}/{self.version}/{self.name}"


def cache_folder(env: Mapping[str, str] = os.environ) -> Path:
    """`REFUNDS_CACHE`, or else the user's cache folder."""
    chosen = env.get("REFUNDS_CACHE")
    return Path(chosen).expanduser().resolve() if chosen else user_cache_path("refund-ledger")


def locked_jars(lock: Path = LOCK_FILE) -> tuple[Jar, ...]:
    """The jars named in the committed lock, in its order."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    return tuple(_parse(line) for line in lines if line and not line.startswith("#"))


def classpath(
    jars: Sequence[Jar], cache: Path, base: str | None, console: Console | None
) -> tuple[Path, ...]:
    """The verified jars in the cache; those missing are fetched from `base` (None: the default),
    with a progress bar on the console (None: stderr).

    Raises DevstackError if a jar in the cache or a downloaded one is not the locked one, or if
    the repository cannot be reached. Processes filling the same cache wait for each other.
    """
    folder = cache / "jars"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _fill(jars, folder, base, console)
    except OSError as error:
        raise DevstackError(
            f"cannot fill the cache {cache}: {error.strerror or error}. Make room there, or set "
            "REFUNDS_CACHE to a folder that can be written."
        ) from error
    for jar in jars:
        _verify(folder / jar.name, jar)
    return tuple(folder / jar.name for jar in jars)


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in lower-case hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _parse(line: str) -> Jar:
    coordinates, sha256 = line.split()
    group, artifact, version = coordinates.split(":")
    return Jar(group=group, artifact=artifact, version=version, sha256=sha256)


def _fill(jars: Sequence[Jar], folder: Path, base: str | None, console: Console | None) -> None:
    if all((folder / jar.name).exists() for jar in jars):
        return
    # Imported here: a filled cache needs no network client.
    from devstack.download import PARTIAL, fetch_all

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
            f"{path} is corrupt: SHA-256 {found}, the lock says {jar.sha256}. "
            "Delete that file and start again; it will be fetched anew."
        )
