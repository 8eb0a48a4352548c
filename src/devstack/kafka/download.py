"""Downloads locked jars from a Maven repository; keeps only complete and verified ones."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from jgo.constants import MAVEN_CENTRAL_URL
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from devstack.errors import DevstackError
from devstack.kafka.jar_lock import Jar, sha256_of

PARTIAL = ".part-"
CONNECT_SECONDS, READ_SECONDS = 10, 60
PARALLEL = 4


def fetch_all(jars: Sequence[Jar], folder: Path, base: str | None, console: Console | None) -> None:
    """Download the jars into the folder, with a progress bar; DevstackError if one fails."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with (
        Progress(
            *columns, TimeElapsedColumn(), console=console or Console(stderr=True)
        ) as progress,
        requests.Session() as session,
        ThreadPoolExecutor(PARALLEL) as pool,
    ):
        task = progress.add_task("Fetching the Kafka broker (once)", total=len(jars))
        source = (base or MAVEN_CENTRAL_URL).rstrip("/")
        fetches = [pool.submit(_fetch, jar, folder, source, session) for jar in jars]
        try:
            for fetch in fetches:
                fetch.result()
                progress.advance(task)
        finally:
            pool.shutdown(cancel_futures=True)


def _fetch(jar: Jar, folder: Path, base: str, session: requests.Session) -> None:
    """Under a temporary name first: a file with the jar's name is complete and verified."""
    url = f"{base}/{jar.path}"
    with tempfile.NamedTemporaryFile(dir=folder, prefix=PARTIAL, delete=False) as part:
        partial = Path(part.name)
    try:
        _download(url, partial, session)
        found = sha256_of(partial)
        if found != jar.sha256:
            raise DevstackError(
                f"{jar.name}: the download from {url} has SHA-256 {found}, the lock has "
                f"{jar.sha256}; it was deleted. Try again, or set REFUNDS_MAVEN_MIRROR to "
                "another Maven repository."
            )
        partial.chmod(0o644)
        partial.replace(folder / jar.name)
    finally:
        partial.unlink(missing_ok=True)


def _download(url: str, target: Path, session: requests.Session) -> None:
    try:
        with (
            session.get(url, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)) as response,
            target.open("wb") as out,
        ):
            response.raise_for_status()
            for chunk in response.iter_content(1 << 16):
                out.write(chunk)
    except requests.RequestException as error:
        raise DevstackError(
            f"cannot fetch {url}: {_reason(error)}. Only the first start needs the network: "
            "connect and try again, set REFUNDS_MAVEN_MIRROR to a Maven repository you can reach, "
            "or copy a filled cache here and set REFUNDS_CACHE to it."
        ) from error


def _reason(error: requests.RequestException) -> str:
    match error:
        case requests.HTTPError(response=response) if response is not None:
            return f"the repository answered HTTP {response.status_code}"
        case requests.Timeout():
            return "the repository did not answer in time"
        case requests.exceptions.ChunkedEncodingError():
            return "the connection was lost during the download"
        case requests.ConnectionError():
            return "no connection to the repository"
        case requests.exceptions.MissingSchema() | requests.exceptions.InvalidURL():
            return "this is not the address of a repository"
    return type(error).__name__
