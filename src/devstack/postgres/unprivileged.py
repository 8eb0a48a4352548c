"""The user and folders of the database server if we are root, because it refuses to run as root.

No user is added, and no existing folder changes its mode. If the unprivileged user cannot enter a
folder, the files it needs are copied to a folder that it can enter.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import tempfile
from pathlib import Path

from devstack.errors import DevstackError
from devstack.system.process_identity import Account

USER = "nobody"


def unprivileged_account() -> Account | None:
    """`nobody` for root; None (no change of user) for every other user."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(USER)
    except KeyError:
        raise DevstackError(
            f"PostgreSQL does not run as root, and there is no user {USER!r} to run it: "
            "start as another user, or set DATABASE_URL to your own PostgreSQL 18."
        ) from None
    return Account(name=USER, uid=entry.pw_uid, gid=entry.pw_gid)


def may_enter(folder: Path, account: Account) -> bool:
    """Whether the account can enter this folder and every folder above it."""
    resolved = folder.resolve()
    return all(_passes(step.stat(), account) for step in (resolved, *resolved.parents))


def own_folder(folder: Path, account: Account | None) -> Path:
    """Create the folder; only the account can read it."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if account:
        os.chown(folder, account.uid, account.gid)
    return folder


def refuge(pointer: Path, account: Account) -> Path:
    """A folder outside the home that the account can enter; the file `pointer` has its path."""
    if pointer.exists():
        known = Path(pointer.read_text(encoding="utf-8").strip())
        if known.is_dir():
            return known
    for base in (Path(tempfile.gettempdir()), Path("/var/tmp")):  # noqa: S108  # made by mkdtemp
        if base.is_dir() and may_enter(base, account):
            made = Path(tempfile.mkdtemp(prefix="refund-ledger-", dir=base))
            made.chmod(0o711)
            pointer.write_text(f"{made}\n", encoding="utf-8")
            return made
    raise DevstackError(
        f"PostgreSQL has to run as the user {account.name!r}, which can enter neither "
        f"{tempfile.gettempdir()} nor /var/tmp: set TMPDIR to a folder that it can enter."
    )


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder atomically, unless the copy exists."""
    if source.exists() and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.copytree(source, partial, symlinks=True)
        partial.rename(target)


def _passes(found: os.stat_result, account: Account) -> bool:
    if found.st_uid == account.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == account.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)
