"""Freezes the schema files: adds the digest of each file not yet listed to `released.toml`.

Run it once when a version is released (`make freeze`). A file listed there never changes again; a
changed class gets the next version beside it.
"""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path

from ledger.wire.avro.schema_derivation import released_digests
from ledger.wire.avro.schema_files import schema_root
from tools.program import arguments


def main() -> int:
    """List what is new, below what is listed; returns 0."""
    root = schema_root()
    listed = released_digests(root)
    found = {_name(root, file): _digest(file) for file in sorted(root.glob("*/*/*.avsc"))}
    new = {name: digest for name, digest in found.items() if name not in listed}
    with (root / "released.toml").open("a", encoding="utf-8") as handle:
        handle.writelines(f'"{name}" = "{digest}"\n' for name, digest in new.items())
    sys.stdout.write(f"{len(new)} schema files frozen, {len(listed)} were before\n")
    return 0


def _name(root: Path, file: Path) -> str:
    return file.relative_to(root).with_suffix("").as_posix()


def _digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()


if __name__ == "__main__":
    arguments(__doc__)
    sys.exit(main())
