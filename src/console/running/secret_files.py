"""Reads secrets from files that nobody else may read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pydantic import SecretStr

from console.terminal.errors import BadInput


def check_private(setting: str, path: Path) -> None:
    """BadInput for a file that others may read.

    The group may where the file is root's and we are not: so are secrets handed to containers.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise BadInput(f"{setting} {path}: {error.strerror}; correct the path") from error
    if not stat.S_ISREG(found.st_mode):
        raise BadInput(f"{setting} {path}: not a file; name the file that holds the secret")
    handed = found.st_uid == 0 and os.geteuid() != 0
    others = stat.S_IRWXO | (stat.S_IWGRP | stat.S_IXGRP if handed else stat.S_IRWXG)
    if found.st_mode & others:
        raise BadInput(
            f"{setting} {path}: its mode {stat.S_IMODE(found.st_mode):04o} lets others read or "
            f"change it; run 'chmod 600 {path}'"
        )


def read_secret(setting: str, path: Path) -> SecretStr:
    """A file's one line, without the line's end. BadInput if it is empty or others may read it."""
    check_private(setting, path)
    try:
        text = path.read_text("utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise BadInput(f"{setting} {path}: {error.strerror}; let this user read it") from error
    except UnicodeDecodeError:
        # Without its cause, which quotes what it could not read.
        raise BadInput(f"{setting} {path}: not UTF-8; write the secret as text") from None
    if not text:
        raise BadInput(f"{setting} {path}: it is empty; write the secret into it")
    if "\n" in text:
        raise BadInput(f"{setting} {path}: it has several lines; a secret is one")
    return SecretStr(text)


def one_secret(
    names: tuple[str, str], given: SecretStr | None, path: Path | None
) -> SecretStr | None:
    """What the environment says itself, or the file that it names; BadInput for both."""
    if given is not None and path is not None:
        raise BadInput(f"{names[0]} and {names[1]} are both set; unset one")
    return given if path is None else read_secret(names[1], path)
