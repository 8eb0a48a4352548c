"""A ledger of a test's own on shared services: its processes are real, its topics have a prefix."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec import Struct

from console.running.kafka_access import security_of_file
from ledger.log.kafka import KafkaSettings
from ledger.log.kafka.client.security import OPEN
from tests.console.forked import Forked
from tests.services import access as shared_access
from tests.waiting import PATIENCE_SECONDS, wait_until

PARTITIONS = 2
PROCESSES = ("decider", "reactions", "projector")
PROGRAM = (sys.executable, "-m", "console.main")


class RunningLedger(Struct, frozen=True, kw_only=True):
    """Where it is, as the environment of a command says it."""

    environment: Mapping[str, str]

    @property
    def kafka(self) -> KafkaSettings:
        """For clients of its topics."""
        told = self.environment.get("REFUNDS_KAFKA_PROPERTIES")
        return KafkaSettings(
            bootstrap=self.environment["KAFKA_BOOTSTRAP"],
            partition_count=int(self.environment["REFUNDS_PARTITIONS"]),
            prefix=self.environment["REFUNDS_PREFIX"],
            security=security_of_file(Path(told)) if told else OPEN,
        )

    @property
    def database_url(self) -> str:
        """Where its read models are."""
        return self.environment["DATABASE_URL"]


@contextmanager
def running_ledger(
    bootstrap: str,
    database_url: str,
    folder: Path,
    *,
    sandbox: bool,
    processes: Sequence[str] = PROCESSES,
    partitions: int = PARTITIONS,
    schema_registry_url: str = "",
    access: Mapping[str, str] | None = None,
    program: Sequence[str] = (),
) -> Iterator[RunningLedger]:
    """Make a ledger and run its processes; each must end well when it is told to stop.

    `access` is what else the environment says of how broker and database are spoken to; without it,
    what the shared broker asks for.
    `program` is a `refundctl` that runs them from nothing; without it they are forked.
    """
    environment = {
        "KAFKA_BOOTSTRAP": bootstrap,
        "DATABASE_URL": database_url,
        "REFUNDS_HOME": str(folder),
        "REFUNDS_PREFIX": f"test-{uuid.uuid4().hex[:8]}-",
        "REFUNDS_PARTITIONS": str(partitions),
        "REFUNDS_SANDBOX": str(int(sandbox)),
        "SCHEMA_REGISTRY_URL": schema_registry_url,
        **(shared_access() if access is None else access),
    }
    init = _started(program, ("init",), environment, folder / "init.log")
    assert init.wait(PATIENCE_SECONDS) == 0, (folder / "init.log").read_text()
    with ExitStack() as started:
        readies = [
            started.enter_context(_process(program, name, environment, folder))
            for name in processes
        ]
        _wait_for(readies)
        yield RunningLedger(environment=environment)


@contextmanager
def _process(
    program: Sequence[str], name: str, environment: Mapping[str, str], folder: Path
) -> Iterator[Path]:
    ready, log = folder / f"{name}.ready", folder / f"{name}.log"
    told = {**environment, "REFUNDS_READY_FILE": str(ready)}
    process = _started(program, ("run", name), told, log)
    try:
        yield ready
    finally:
        process.terminate()
        code = process.wait(PATIENCE_SECONDS)
    assert code == 0, log.read_text()


def _started(
    program: Sequence[str], words: Sequence[str], environment: Mapping[str, str], log: Path
) -> Forked | subprocess.Popen[bytes]:
    told = {**os.environ, **environment}
    if not program:
        return Forked(words, told, log)
    with log.open("ab") as written:
        return subprocess.Popen([*program, *words], env=told, stdout=written, stderr=written)


def _wait_for(files: Sequence[Path]) -> None:
    wait_until(lambda: all(file.exists() for file in files), f"the files {list(map(str, files))}")
