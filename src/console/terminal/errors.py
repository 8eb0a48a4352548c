"""Error messages: a sentence, the next step, and an exit code."""

from __future__ import annotations

import difflib
import errno
import os
from collections.abc import Sequence

from console.terminal.extras import missing_extra

BAD_INPUT = 2
FAILED = 1
INTERRUPTED = 130
URL_RULE = (
    "write it as postgresql://user:password@host:port/database, in the password %40 for @, %2F for "
    "/ and %25 for %"
)


class BadInput(Exception):
    """The request is not possible as given: exit code 2, nothing was changed."""


class Failed(Exception):
    """The request failed: exit code 1."""


def or_near(name: str, known: Sequence[str], then: str) -> str:
    """After what there is not: `; did you mean 'x'? See all …` or `; see all …`."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}? {then[0].upper()}{then[1:]}" if near else f"; {then}"


def explain(error: Exception) -> tuple[int, str] | None:
    """The exit code and the sentence for an expected error; None for a bug."""
    if isinstance(error, ModuleNotFoundError):
        needed = missing_extra(error.name or "")
        return None if needed is None else (FAILED, needed)
    # Imported late: only an error needs these modules.
    import psycopg
    from pydantic import ValidationError

    from consumers.deciding.decider import CommitLost
    from projector.asking.queries import NotAnswerable, UnknownAccount

    match error:
        case BadInput() | UnknownAccount() | NotAnswerable():
            return BAD_INPUT, _text(error)
        case ValidationError():
            return BAD_INPUT, _settings_problem(error)
        case _ if isinstance(error, _failures()):
            return FAILED, _text(error)
        case CommitLost():
            return FAILED, f"{error}: the process ends; its next start reads the result in the log"
        case psycopg.Error():
            return _of_the_database(error)
        case OSError():
            return _of_a_file(error)
        case _:
            return None


def _failures() -> tuple[type[Exception], ...]:
    """Those that say themselves what failed and what to do."""
    from consumers.deciding.store import StoreTaken
    from consumers.sandbox.sandbox_world import SandboxStalled
    from devstack import DevstackError
    from ledger.audit import AuditInterrupted, PlaceRefused
    from ledger.log.seam import LogUnavailable, MemberReplaced, WrongWorld
    from ledger.wire.avro.framing import RegistryUnavailable
    from projector.asking.queries import NoReadModels
    from projector.following.event_reader import BrokenLog
    from projector.migrations import WrongDatabase
    from projector.rebuilding.rebuild import RebuildStalled, RebuildUnderWay
    from projector.rights.granting import WrongRights

    return (
        Failed,
        AuditInterrupted,
        BrokenLog,
        DevstackError,
        LogUnavailable,
        MemberReplaced,
        NoReadModels,
        PlaceRefused,
        RebuildStalled,
        RebuildUnderWay,
        RegistryUnavailable,
        SandboxStalled,
        StoreTaken,
        WrongDatabase,
        WrongRights,
        WrongWorld,
    )


_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_WRONG_PATH = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP}


def _of_a_file(error: OSError) -> tuple[int, str] | None:
    """A disk, a folder or a path that cannot be used; anything else is a bug."""
    if error.errno in _FULL:
        next_step = (
            "make room where this command writes: its output, REFUNDS_HOME, and TMPDIR for "
            "temporary files"
        )
    elif error.errno in _FORBIDDEN and error.filename is not None:
        next_step = "let this user write there, or name another place"
    elif error.errno in _WRONG_PATH and error.filename is not None:
        next_step = "correct the path, the output's or REFUNDS_HOME"
    else:
        return None
    place = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
    return FAILED, f"{place}{os.strerror(error.errno)}; {next_step}"


def _of_the_database(error: Exception) -> tuple[int, str] | None:
    import psycopg

    match error:
        case psycopg.OperationalError():
            return FAILED, (
                f"the database does not answer: {first_line(error)}; "
                "start one with 'refundctl up' or correct DATABASE_URL"
            )
        case psycopg.errors.InsufficientPrivilege():
            return FAILED, (
                f"the database refuses this role: {first_line(error)}; connect as a role that "
                "may (docs/reference/access.md)"
            )
        case psycopg.ProgrammingError() if error.sqlstate is None:
            # Without its text, which quotes the URL.
            return BAD_INPUT, f"DATABASE_URL cannot be used: {URL_RULE}"
        case _:
            return None


def _text(error: Exception) -> str:
    return str(error.args[0]) if isinstance(error, LookupError) and error.args else str(error)


def first_line(error: Exception) -> str:
    """The first line of an error's text; the name of its class if it has no text."""
    lines = str(error).strip().splitlines()
    return lines[0].strip() if lines else type(error).__name__


def _settings_problem(error: Exception) -> str:
    from pydantic import ValidationError

    assert isinstance(error, ValidationError)
    return "; ".join(
        f"{'.'.join(str(part) for part in each['loc'])} is {each['input']!r}: {each['msg']}"
        for each in error.errors()
    )
