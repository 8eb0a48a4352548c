"""The committed lock: the broker's jars and the digest of each."""

from __future__ import annotations

import hashlib
from pathlib import Path

from msgspec import Struct

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
        """Its path in a repository with Maven's layout, relative to the base."""
        return f"{self.group.replace('.', '/')}/{self.artifact}/{self.version}/{self.name}"


def locked_jars(lock: Path = LOCK_FILE) -> tuple[Jar, ...]:
    """The jars of the committed lock, in its order."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    return tuple(_parse(line) for line in lines if line and not line.startswith("#"))


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in lower-case hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _parse(line: str) -> Jar:
    coordinates, sha256 = line.split()
    group, artifact, version = coordinates.split(":")
    return Jar(group=group, artifact=artifact, version=version, sha256=sha256)
