"""Small file systems in memory, so that a disk can be full without filling the machine's."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOMY = "2g"
_ATTEMPTS = 20


class Disk:
    """A mounted tmpfs that can be made as small as what is in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self) -> None:
        """No byte more fits on it. It may not be made smaller than it is, and it may be growing."""
        for attempt in range(_ATTEMPTS):
            seen = os.statvfs(self.folder)
            used_kib = (seen.f_blocks - seen.f_bfree) * seen.f_frsize // 1024
            try:
                _mount("-o", f"remount,size={used_kib + 4 * attempt}k", str(self.folder))
            except subprocess.CalledProcessError:
                continue
            return
        raise OSError(f"{self.folder} grows too fast to be filled")

    def make_room(self) -> None:
        """There is plenty of room again."""
        _mount("-o", f"remount,size={ROOMY}", str(self.folder))


def may_mount(folder: Path) -> bool:
    """Whether this machine lets us mount at all."""
    try:
        with mounted([folder]):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


@contextmanager
def mounted(folders: Sequence[Path]) -> Iterator[list[Disk]]:
    """A file system of its own at each of these folders."""
    with ExitStack() as stack:
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            options = f"size={ROOMY},mode=0755"
            _mount("-t", "tmpfs", "-o", options, "refunds-torture", str(folder))
            stack.callback(_umount, folder)
        yield [Disk(folder) for folder in folders]


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


def _umount(folder: Path) -> None:
    """At once if nobody has a file open there, else as soon as nobody does."""
    subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)
