"""Writes a new `kafka.lock`: resolves the broker's coordinates and stores each jar's SHA-256.

Run as `python -m devstack.kafka.relock` after changing a coordinate below; needs the network.
"""

from __future__ import annotations

import os
import tempfile
from argparse import ArgumentParser
from pathlib import Path

from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext, PythonResolver

from devstack.kafka.jar_lock import LOCK_FILE, sha256_of

COORDINATES = (
    ("org.apache.kafka", "kafka_2.13", "4.3.1"),
    # The binding for slf4j 1.7, which the broker's jars use: without a binding it logs nothing.
    ("org.slf4j", "slf4j-simple", "1.7.36"),
)
HEADER = """\
# The jars of the embedded broker: Maven coordinates and SHA-256. Written by `relock`.
"""


def relock() -> str:
    """The text of the lock file for `COORDINATES` and their run-time dependencies."""
    with tempfile.TemporaryDirectory() as folder:
        context = MavenContext(
            resolver=PythonResolver(),
            repo_cache=Path(folder),
            remote_repos={"central": os.environ.get("REFUNDS_MAVEN_MIRROR", MAVEN_CENTRAL_URL)},
            timeout=60,
        )
        wanted = [context.create_dependency(":".join(parts)) for parts in COORDINATES]
        direct, transitive = context.resolver.resolve(wanted)
        lines = {
            f"{a.groupId}:{a.artifactId}:{a.version}": sha256_of(a.resolve())
            for a in (dependency.artifact for dependency in (*direct, *transitive))
        }
    return HEADER + "".join(f"{name} {digest}\n" for name, digest in sorted(lines.items()))


if __name__ == "__main__":
    ArgumentParser(description=__doc__).parse_args()
    LOCK_FILE.write_text(relock(), encoding="utf-8")
