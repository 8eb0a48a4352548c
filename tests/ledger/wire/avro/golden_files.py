"""Bytes and digests that must not change.

`python -m tests.ledger.wire.avro.golden_files` writes them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ledger.vocabulary.commands import COMMANDS
from ledger.vocabulary.digest import command_digest
from ledger.vocabulary.events import EVENTS
from ledger.wire.avro.codec import encode_command, encode_event
from ledger.wire.avro.schema_files import Family, schema_root, versions_of
from tests.samples import sample_command, sample_event
from tools.program import arguments

FOLDER = Path(__file__).parent / "golden"


def encoded_samples() -> dict[str, bytes]:
    """`events/RefundIssued/1` → the record value of the sample, in the newest version."""
    commands = {
        _key(Family.COMMANDS, name): encode_command(sample_command(body))
        for name, body in COMMANDS.items()
    }
    events = {
        _key(Family.EVENTS, name): encode_event(sample_event(body))[0]
        for name, body in EVENTS.items()
    }
    return commands | events


def digests() -> dict[str, str]:
    """Command name → the content digest of its sample, in hex."""
    return {name: command_digest(sample_command(body)).hex() for name, body in COMMANDS.items()}


def golden_bytes() -> dict[str, bytes]:
    """What the files say, all versions."""
    return {
        str(path.relative_to(FOLDER).with_suffix("")): bytes.fromhex(path.read_text())
        for path in sorted(FOLDER.glob("*/*/*.hex"))
    }


def golden_digests() -> dict[str, str]:
    """What the file of digests says."""
    lines = (FOLDER / "digests.txt").read_text().splitlines()
    return {name: digest for name, _, digest in (line.partition(" ") for line in lines)}


def write() -> None:
    """Write what the code gives today. Whatever was released must not differ afterwards."""
    for key, value in encoded_samples().items():
        path = FOLDER / f"{key}.hex"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = value.hex()
        lines = [text[start : start + 96] for start in range(0, len(text), 96)]
        path.write_text("\n".join(lines) + "\n")
    lines = [f"{name} {digest}" for name, digest in digests().items()]
    (FOLDER / "digests.txt").write_text("\n".join(lines) + "\n")


def _key(family: Family, name: str) -> str:
    return f"{family}/{name}/{max(versions_of(schema_root(), family, name))}"


if __name__ == "__main__":
    arguments(__doc__)
    write()
    sys.stdout.write(f"wrote {FOLDER}\n")
