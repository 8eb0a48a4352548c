"""The broker's jars: fetched once, verified always, and every failure says what to do."""

from __future__ import annotations

import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from devstack import DevstackError
from devstack.kafka.jar_lock import LOCK_FILE, Jar, locked_jars
from devstack.kafka.jars import classpath

SILENT = Console(file=StringIO())
BODIES = {f"part-{number}": f"the bytes of part {number}".encode() * 500 for number in range(6)}
JARS = tuple(
    Jar(group="org.parts", artifact=name, version="1", sha256=hashlib.sha256(body).hexdigest())
    for name, body in BODIES.items()
)


class Repository:
    """A Maven repository on the loopback, and what it was asked for."""

    def __init__(self) -> None:
        self.files = {f"/maven/{jar.path}": BODIES[jar.artifact] for jar in JARS}
        self.cut_short = False
        self.asked: list[str] = []
        repository = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                repository.asked.append(self.path)
                body = repository.files.get(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                kept = len(body or b"") // 2 if repository.cut_short else None
                self.wfile.write((body or b"")[:kept])
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                """Keep the test's output clean."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}/maven"


@pytest.fixture
def repository() -> Iterator[Repository]:
    made = Repository()
    serving = threading.Thread(target=made.server.serve_forever)
    serving.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        serving.join()
        made.server.server_close()


def test_missing_jars_are_fetched_from_the_mirror_once(
    repository: Repository, tmp_path: Path
) -> None:
    first = classpath(JARS, tmp_path, repository.base, SILENT)
    second = classpath(JARS, tmp_path, repository.base, SILENT)
    assert [path.read_bytes() for path in first] == list(BODIES.values())
    assert first == second
    assert sorted(repository.asked) == sorted(repository.files)


def test_two_at_once_fetch_each_jar_once(repository: Repository, tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        tasks = [pool.submit(classpath, JARS, tmp_path, repository.base, SILENT) for _ in range(3)]
        results = {task.result() for task in tasks}
    assert len(results) == 1
    assert sorted(repository.asked) == sorted(repository.files)


def test_a_download_that_is_not_the_locked_jar_is_named_and_not_kept(
    repository: Repository, tmp_path: Path
) -> None:
    bad = JARS[2]
    repository.files[f"/maven/{bad.path}"] = b"something else"
    with pytest.raises(DevstackError, match=r"part-2-1\.jar: the download .* the lock has"):
        classpath(JARS, tmp_path, repository.base, SILENT)
    assert not (tmp_path / "jars" / bad.name).exists()
    assert list((tmp_path / "jars").glob(".part-*")) == []


def test_a_download_that_breaks_off_is_named_and_not_kept(
    repository: Repository, tmp_path: Path
) -> None:
    repository.cut_short = True
    with pytest.raises(DevstackError, match=r"cannot fetch .*: the connection was lost"):
        classpath(JARS[:1], tmp_path, repository.base, SILENT)
    assert list((tmp_path / "jars").iterdir()) == []


def test_a_jar_that_rotted_in_the_cache_is_named(repository: Repository, tmp_path: Path) -> None:
    paths = classpath(JARS, tmp_path, repository.base, SILENT)
    paths[3].write_bytes(b"rotten")
    with pytest.raises(DevstackError, match=rf"{re.escape(str(paths[3]))} is corrupt.* Delete"):
        classpath(JARS, tmp_path, repository.base, SILENT)
    paths[3].unlink()
    assert classpath(JARS, tmp_path, repository.base, SILENT) == paths


def test_a_repository_without_the_jar_is_named(repository: Repository, tmp_path: Path) -> None:
    del repository.files[f"/maven/{JARS[0].path}"]
    with pytest.raises(DevstackError, match=r"part-0-1\.jar: the repository answered HTTP 404"):
        classpath(JARS, tmp_path, repository.base, SILENT)


def test_offline_says_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(DevstackError, match="no connection to the repository") as caught:
            classpath(JARS, tmp_path, base, SILENT)
    assert "REFUNDS_MAVEN_MIRROR" in str(caught.value)
    assert "REFUNDS_CACHE" in str(caught.value)


def test_a_cache_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DevstackError, match=r"cannot fill the cache .*REFUNDS_CACHE"):
        classpath(JARS, tmp_path / "file", "http://127.0.0.1:1", SILENT)


def test_the_lock_pins_the_broker_and_names_no_address() -> None:
    jars = locked_jars()
    assert ("kafka_2.13", "4.3.1") in [(jar.artifact, jar.version) for jar in jars]
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) for jar in jars)
    assert "://" not in LOCK_FILE.read_text()
