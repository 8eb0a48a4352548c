"""Stacks of their own for the benchmarks: started in a temporary home, watched, stopped again."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from benchmarks import kit
from devstack import destroy, status
from ledger.log.kafka import KafkaSettings, KafkaTools


class Stack(Struct, frozen=True, kw_only=True):
    """A ledger that runs, and where it is."""

    home: Path
    database_url: str
    kafka: KafkaSettings

    def tools(self) -> KafkaTools:
        """For publishing and for positions."""
        return KafkaTools(self.kafka)

    def processor_seconds(self) -> dict[str, float]:
        """What each process and its children have used so far."""
        return {name: kit.seconds_of_all(pid) for name, pid in self._pids().items()}

    def peak_megabytes(self) -> dict[str, float]:
        """The most memory of each process without its children: of PostgreSQL only the first."""
        return {name: kit.peak_megabytes(pid) for name, pid in self._pids().items()}

    def check_restarts(self) -> None:
        """End the program if a process was started anew."""
        found = {each.name: each.restarts for each in status(self.home).processes if each.restarts}
        if found:
            raise SystemExit(f"started anew: {found}; see their logs")

    def _pids(self) -> dict[str, int]:
        return {
            each.name: each.identity.pid
            for each in status(self.home).processes
            if each.identity is not None
        }


@contextmanager
def stack(
    partitions: int,
    settings: Mapping[str, str] | None = None,
    words: tuple[str, ...] = (),
    *,
    pages: bool = False,
) -> Iterator[Stack]:
    """A stack with default settings but for these; `words` are more options of `up`."""
    environment = {**os.environ, "REFUNDS_PARTITIONS": str(partitions), **(settings or {})}
    with tempfile.TemporaryDirectory(prefix="refunds-bench-") as folder:
        home = Path(folder) / "home"
        environment["REFUNDS_HOME"] = str(home)
        try:
            _refundctl(environment, "up", "--pages" if pages else "--no-pages", *words)
            seen = status(home)
            assert seen.bootstrap is not None
            assert seen.database_url is not None
            kafka = KafkaSettings(bootstrap=seen.bootstrap, partition_count=partitions)
            yield Stack(home=home, database_url=seen.database_url, kafka=kafka)
        finally:
            _refundctl(environment, "down")
            destroy(home)


def _refundctl(environment: Mapping[str, str], *words: str) -> None:
    command = [sys.executable, "-m", "console.main", *words]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
