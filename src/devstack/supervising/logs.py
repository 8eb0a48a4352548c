"""Reads the logs of a stack's processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from devstack.errors import DevstackError
from devstack.status import Layout

TAIL_BYTES = 256 * 1024
POLL_SECONDS = 0.2


def log_paths(home: Path) -> dict[str, Path]:
    """The log of each process by its name, `supervisor` and `prepare` included."""
    folder = Layout(home=home.resolve()).logs
    return {path.stem: path for path in sorted(folder.glob("*.log"))}


def last_lines(log: Path, count: int) -> list[str]:
    """The last lines of a log, fewer if it is short; none if the file does not exist."""
    try:
        with log.open("rb") as handle:
            handle.seek(max(0, log.stat().st_size - TAIL_BYTES))
            text = handle.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    return text.splitlines()[-count:] if count else []


def tail(home: Path, names: Sequence[str] = (), count: int = 20) -> Iterator[tuple[str, str]]:
    """The last `count` lines of each named log (of all logs without names) as (name, line)."""
    for name, path in _chosen(home, names).items():
        for line in last_lines(path, count):
            yield name, line


def follow(
    home: Path, names: Sequence[str] = (), until: Callable[[], bool] = lambda: False
) -> Iterator[tuple[str, str]]:
    """Lines that are written from now on, as (name, line), until `until` returns true."""
    chosen = _chosen(home, names)
    positions = {name: path.stat().st_size for name, path in chosen.items()}
    while True:
        last_round = until()
        for name, path in chosen.items():
            text, positions[name] = _read_on(path, positions[name])
            yield from ((name, line) for line in text.splitlines())
        if last_round:
            return
        time.sleep(POLL_SECONDS)


def _chosen(home: Path, names: Sequence[str]) -> dict[str, Path]:
    known = log_paths(home)
    for name in names:
        if name not in known:
            have = ", ".join(known) or "none yet"
            raise DevstackError(f"there is no log named {name!r} in {home}; there are: {have}")
    return {name: known[name] for name in names or known}


def _read_on(path: Path, position: int) -> tuple[str, int]:
    """Complete lines from the position on; from the start if the file was replaced."""
    if path.stat().st_size < position:
        position = 0
    with path.open("rb") as handle:
        handle.seek(position)
        whole = handle.read().rpartition(b"\n")
    return whole[0].decode("utf-8", "replace"), position + len(whole[0]) + len(whole[1])
