"""Fetches the broker's jars once into a cache and hands out only those that match the lock."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import requests
from jgo.constants import MAVEN_CENTRAL_URL
from msgspec import Struct
from platformdirs import user_cache_path
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from devstack.errors import DevstackError

LOCK_FILE = Path(__file__).with_name("kafka.lock")
CONNECT_SECONDS, READ_SECONDS = 10, 60
PARALLEL_DOWNLOADS = 4


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


def maven_base(env: Mapping[str, str] = os.environ) -> str:
    """`REFUNDS_MAVEN_MIRROR`, or else Maven Central."""
    return env.get("REFUNDS_MAVEN_MIRROR", MAVEN_CENTRAL_URL).rstrip("/")


def cache_folder(env: Mapping[str, str] = os.environ) -> Path:
    """`REFUNDS_CACHE`, or else the user's cache folder."""
    chosen = env.get("REFUNDS_CACHE")
    return Path(chosen).expanduser().resolve() if chosen else user_cache_path("refund-ledger")


def locked_jars(lock: Path = LOCK_FILE) -> tuple[Jar, ...]:
    """The jars named in the committed lock, in its order."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    return tuple(_parse(line) for line in lines if line and not line.startswith("#"))


def classpath(jars: Sequence[Jar], cache: Path, base: str, console: Console) -> tuple[Path, ...]:
    """The verified jars in the cache, fetching those that are missing from `base`.

    Raises DevstackError if a jar in the cache or a downloaded one is not the locked one, or if
    the repository cannot be reached. Processes filling the same cache wait for each other.
    """
    folder = cache / "jars"
    folder.mkdir(parents=True, exist_ok=True)
    if any(not (folder / jar.name).exists() for jar in jars):
        with _only_one(cache / "jars.lock"):
            missing = [jar for jar in jars if not (folder / jar.name).exists()]
            _fetch_all(missing, folder, base, console)
    for jar in jars:
        _verify(folder / jar.name, jar)
    return tuple(folder / jar.name for jar in jars)


def _parse(line: str) -> Jar:
    coordinates, sha256 = line.split()
    group, artifact, version = coordinates.split(":")
    return Jar(group=group, artifact=artifact, version=version, sha256=sha256)


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _fetch_all(jars: Sequence[Jar], folder: Path, base: str, console: Console) -> None:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with (
        Progress(*columns, TimeElapsedColumn(), console=console) as progress,
        requests.Session() as session,
        ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool,
    ):
        task = progress.add_task("Fetching the Kafka broker (once)", total=len(jars))
        fetches = [pool.submit(_fetch, jar, folder, base, session.get) for jar in jars]
        try:
            for fetch in fetches:
                fetch.result()
                progress.advance(task)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _fetch(jar: Jar, folder: Path, base: str, get: Callable[..., requests.Response]) -> None:
    """Into a temporary name first: what stands under the jar's own name is whole and verified."""
    url = f"{base}/{jar.path}"
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".part-", delete=False) as part:
        partial = Path(part.name)
    try:
        _download(url, partial, get)
        found = _sha256(partial)
        if found != jar.sha256:
            raise DevstackError(
                f"{jar.name}: the download from {url} has SHA-256 {found}, the lock says "
                f"{jar.sha256}; it was thrown away. Try again, or set REFUNDS_MAVEN_MIRROR to "
                "another Maven repository."
            )
        partial.chmod(0o644)
        partial.replace(folder / jar.name)
    finally:
        partial.unlink(missing_ok=True)


def _download(url: str, target: Path, get: Callable[..., requests.Response]) -> None:
    try:
        with (
            get(url, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)) as response,
            target.open("wb") as out,
        ):
            response.raise_for_status()
            for chunk in response.iter_content(1 << 16):
                out.write(chunk)
    except requests.RequestException as error:
        raise DevstackError(
            f"cannot fetch {url}: {_reason(error)}. The first start needs the network once: "
            "connect and try again, set REFUNDS_MAVEN_MIRROR to a Maven repository you can reach, "
            "or copy a filled cache here and set REFUNDS_CACHE to it."
        ) from error


def _reason(error: requests.RequestException) -> str:
    match error:
        case requests.HTTPError(response=response) if response is not None:
            return f"the repository answered HTTP {response.status_code}"
        case requests.Timeout():
            return "the repository did not answer in time"
        case requests.ConnectionError():
            return "no connection to the repository"
    return type(error).__name__


def _verify(path: Path, jar: Jar) -> None:
    found = _sha256(path)
    if found != jar.sha256:
        raise DevstackError(
            f"{path} is corrupt: SHA-256 {found}, the lock says {jar.sha256}. "
            "Delete that file and start again; it will be fetched anew."
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
