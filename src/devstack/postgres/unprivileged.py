"""Where and as whom the database server runs when we are root, which it refuses to run as.

No user is added and no folder that was there before changes its mode: where the unprivileged user
may not go, the files it needs are put where it may.
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
    """`nobody` for root, None (stay who we are) for anyone else."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(USER)
    except KeyError:
        raise DevstackError(
            f"PostgreSQL does not run as root and there is no user {USER!r} to run it as: "
            "start as another user, or set DATABASE_URL to a PostgreSQL 18 of your own."
        ) from None
    return Account(name=USER, uid=entry.pw_uid, gid=entry.pw_gid)


def may_enter(folder: Path, account: Account) -> bool:
    """Whether the account may pass through every folder down to this one."""
    resolved = folder.resolve()
    return all(_passes(step.stat(), account) for step in (resolved, *resolved.parents))


def own_folder(folder: Path, account: Account | None) -> Path:
    """Make the folder, for the account's eyes only."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if account:
        os.chown(folder, account.uid, account.gid)
    return folder


def refuge(pointer: Path, account: Account) -> Path:
    """A folder outside the home that the account may enter, remembered in the file `pointer`."""
    if pointer.exists():
        known = Path(pointer.read_text(encoding="utf-8").strip())
        if known.is_dir():
            return known
    for base in (Path(tempfile.gettempdir()), Path("/var/tmp")):
        if base.is_dir() and may_enter(base, account):
            made = Path(tempfile.mkdtemp(prefix="refund-ledger-", dir=base))
            made.chmod(0o711)
            pointer.write_text(f"{made}\n", encoding="utf-8")
            return made
    raise DevstackError(
        f"the user {account.name!r}, whom PostgreSQL has to run as, may enter neither "
        f"{tempfile.gettempdir()} nor /var/tmp: set TMPDIR to a folder it may enter."
    )


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder unless the copy is there; it appears whole or not at all."""
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
