"""Local users, their sessions, and the tokens of programs, in the database."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Literal

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from msgspec import Struct
from psycopg import Connection
from psycopg.rows import class_row

from console.sealing.master_key import SETTING, MasterKey
from console.terminal.errors import Failed
from console.web.access import totp
from console.web.access.ended_rows import delete_ended_sessions
from console.web.access.own_things import OwnThings
from console.web.problems import Problem

SESSION_SECONDS, IDLE_SECONDS = 12 * 3600, 3600
PROVIDER_SESSION_SECONDS = 3600
"""So long what a provider said of somebody's roles is believed (decision 0028)."""
FAILURES, LOCKED_SECONDS = 5, 300
SHORTEST_PASSWORD = 12
VERIFIED_AT_ONCE, PATIENCE_SECONDS = 2, 5.0
"""Of passwords, by one process: to verify one takes 64 MiB, and strangers may ask for it."""
NOTHING = OwnThings()
_hasher = PasswordHasher()
_verifying = threading.BoundedSemaphore(VERIFIED_AT_ONCE)
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$bwnbhTVylj21qvJKG8nGaA"
    "$5YYIUQwkyuH4HAH6o9TcvOie+RsRGME3nfHQZHJxhNc"
)
"""The digest of a password that nobody has, so that an unknown name takes as long."""


_COUNTS = """p.name = s.name AND p.ended_at IS NULL
AND s.ends_at > now() AND s.used_at > now() - make_interval(secs => %s)"""
"""Of a session and its person: whether anybody is still signed in by it."""
_USE = f"""
UPDATE web.sessions s SET used_at = CASE WHEN %s THEN now() ELSE used_at END
FROM web.people p WHERE s.id_digest = %s AND {_COUNTS}
RETURNING p.name, p.principals, p.accounts, p.vendors, p.buyer_id, s.csrf
"""  # noqa: S608  # the text above
_STILL_THERE = f"""
SELECT 'session', s.id_digest, '' FROM web.sessions s, web.people p
WHERE s.id_digest = ANY(%s::bytea[]) AND {_COUNTS}
UNION ALL
SELECT 'token', t.id_digest, '' FROM web.tokens t
WHERE t.id_digest = ANY(%s::bytea[]) AND t.ends_at > now()
UNION ALL
SELECT 'name', ''::bytea, wanted.name FROM unnest(%s::text[]) wanted (name)
WHERE NOT EXISTS (
    SELECT FROM web.people p WHERE p.name = wanted.name AND p.ended_at IS NOT NULL)
"""  # noqa: S608  # the text above


class Person(Struct, frozen=True, kw_only=True):
    """A local user, without the password; without principals, a name that was ended unseen."""

    name: str
    principals: list[str]
    accounts: list[str]
    vendors: list[str]
    issuer: str | None
    second_factor: bool
    failures: int
    locked_until: datetime | None
    ended_at: datetime | None
    made_at: datetime


class Signed(Struct, frozen=True, kw_only=True):
    """Who is signed in by a session or a token; a token has no `csrf`."""

    name: str
    principals: list[str]
    accounts: list[str]
    vendors: list[str]
    buyer_id: str | None
    csrf: str | None = None


class Session(Struct, frozen=True, kw_only=True):
    """When somebody signed in, and asked last."""

    began_at: datetime
    used_at: datetime
    ends_at: datetime


class Ended(Struct, frozen=True, kw_only=True):
    """How many sessions and tokens of a name were ended; `known`: somebody or something has it."""

    known: bool
    sessions: int
    tokens: int


class Locked(Exception):
    """Too many wrong passwords: nobody signs in under this name for some minutes."""


def add(
    connection: Connection[Any],
    name: str,
    password: str,
    principals: Sequence[str],
    own: OwnThings = NOTHING,
) -> bool:
    """Add a user; False if the name is taken. Raises ValueError for too short a password."""
    if len(password) < SHORTEST_PASSWORD:
        raise ValueError(f"a password has at least {SHORTEST_PASSWORD} characters")
    done = connection.execute(
        "INSERT INTO web.people (name, password_digest, principals, accounts, vendors, buyer_id)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (name, _hasher.hash(password), list(principals), *_row(own)),
    )
    return done.rowcount == 1


def everybody(connection: Connection[Any]) -> list[Person]:
    """All users by name."""
    with connection.cursor(row_factory=class_row(Person)) as cursor:
        return cursor.execute(
            "SELECT name, principals, accounts, vendors, issuer, failures, locked_until, ended_at,"
            " made_at, totp_secret IS NOT NULL AS second_factor FROM web.people ORDER BY name"
        ).fetchall()


def end(connection: Connection[Any], name: str, *, may_return: bool = False) -> Ended:
    """End the sessions and tokens of a name. If it may not return, nobody signs in under it any
    more, in whatever way: a name that only a proxy or a provider knows is kept for that.
    """
    with connection.transaction():
        known = connection.execute(
            "SELECT FROM web.people WHERE name = %(name)s"
            " UNION ALL SELECT FROM web.tokens WHERE name = %(name)s LIMIT 1",
            {"name": name},
        ).fetchone()
        if not may_return:
            connection.execute(
                "INSERT INTO web.people AS p (name, principals, ended_at) VALUES (%s, '{}', now())"
                " ON CONFLICT (name) DO UPDATE SET ended_at = coalesce(p.ended_at, now())",
                (name,),
            )
        sessions = end_sessions(connection, name)
        tokens = connection.execute(
            "UPDATE web.tokens SET ends_at = now() WHERE name = %s AND ends_at > now()", (name,)
        ).rowcount
    return Ended(known=known is not None, sessions=sessions, tokens=tokens)


def undo_end(connection: Connection[Any], name: str) -> bool:
    """Let an ended name sign in again; False if it was not ended. Its tokens stay ended."""
    with connection.transaction():
        kept = connection.execute(
            "DELETE FROM web.people WHERE name = %s AND principals = '{}'", (name,)
        )
        ended = connection.execute(
            "UPDATE web.people SET ended_at = NULL WHERE name = %s AND ended_at IS NOT NULL",
            (name,),
        )
    return kept.rowcount + ended.rowcount > 0


def has_ended(connection: Connection[Any], name: str) -> bool:
    """Whether an operator has ended whoever has the name."""
    wanted = "SELECT FROM web.people WHERE name = %s AND ended_at IS NOT NULL"
    return connection.execute(wanted, (name,)).fetchone() is not None


def sign_in(
    connections: Callable[[], AbstractContextManager[Connection[Any]]],
    name: str,
    password: str,
    code: str = "",
    master: MasterKey | None = None,
) -> str | None:
    """The id of a new session; None if name, password, or the code of who needs one are wrong.

    A code counts once. It is looked at only where the password is right, and a wrong one counts as
    a wrong password, so that neither is told apart. A wrong password counts; after five, Locked is
    raised for five minutes, also for the right one. An unknown name takes as long as a wrong
    password. No connection is held while the password is verified; who is locked
    meanwhile is not told whether it was right.
    """
    with connections() as connection:
        digest = _digest_of(connection, name)
    right = _right(digest, password)
    with connections() as connection, connection.transaction():
        row = connection.execute(
            "SELECT locked_until > now(), ended_at IS NOT NULL, password_digest = %s"
            " FROM web.people WHERE name = %s FOR UPDATE",
            (digest, name),
        ).fetchone()
        locked, ended, same = row or (False, True, False)
        if locked:
            raise Locked
        if not right or ended or not same or not _second_factor(connection, name, code, master):
            _count_failure(connection, name)
            return None
        return new_session(connection, name)


def enrol(connection: Connection[Any], name: str, master: MasterKey | None) -> bytes | None:
    """A new secret for codes, which the person needs from now on; None if nobody has the name."""
    secret = secrets.token_bytes(totp.SECRET_BYTES)
    kept = secret if master is None else master.wrapped_factor(name, secret)
    done = connection.execute(
        "UPDATE web.people SET totp_secret = %s, totp_wrapped = %s, totp_step = 0"
        " WHERE name = %s AND password_digest IS NOT NULL",
        (kept, master is not None, name),
    )
    return secret if done.rowcount else None


def end_second_factor(connection: Connection[Any], name: str) -> bool:
    """Let a person sign in without a code; False if none was needed."""
    done = connection.execute(
        "UPDATE web.people SET totp_secret = NULL WHERE name = %s AND totp_secret IS NOT NULL",
        (name,),
    )
    return done.rowcount == 1


def _second_factor(
    connection: Connection[Any], name: str, code: str, master: MasterKey | None
) -> bool:
    row = connection.execute(
        "SELECT totp_secret, totp_wrapped, totp_step, extract(epoch FROM now())::bigint"
        " FROM web.people WHERE name = %s",
        (name,),
    ).fetchone()
    assert row is not None
    secret, wrapped, used, now_seconds = row
    if secret is None:
        return True
    if wrapped:
        if master is None:
            raise Failed(f"the second factor of {name} is under a master key; set {SETTING}")
        secret = master.unwrapped_factor(name, secret)
    step = totp.step_of(secret, code.replace(" ", ""), now_seconds, used)
    if step is None:
        return False
    connection.execute("UPDATE web.people SET totp_step = %s WHERE name = %s", (step, name))
    return True


def _digest_of(connection: Connection[Any], name: str) -> str:
    row = connection.execute(
        "SELECT password_digest, locked_until > now() FROM web.people WHERE name = %s", (name,)
    ).fetchone()
    digest, locked = row or (None, False)
    if locked:
        raise Locked
    return str(digest or _NOBODY)


def new_session(connection: Connection[Any], name: str, seconds: int = SESSION_SECONDS) -> str:
    """The id of a new session of somebody who has shown who it is."""
    connection.execute("UPDATE web.people SET failures = 0 WHERE name = %s", (name,))
    delete_ended_sessions(connection)
    session_id = secrets.token_urlsafe(32)
    connection.execute(
        "INSERT INTO web.sessions (id_digest, name, csrf, ends_at)"
        " VALUES (%s, %s, %s, now() + make_interval(secs => %s))",
        (_digest(session_id), name, secrets.token_urlsafe(32), seconds),
    )
    return session_id


def sign_out(connection: Connection[Any], session_id: str) -> None:
    """End a session."""
    connection.execute("DELETE FROM web.sessions WHERE id_digest = %s", (_digest(session_id),))


def sessions_of(connection: Connection[Any], name: str) -> list[Session]:
    """The sessions under a name that have not ended, the newest first."""
    with connection.cursor(row_factory=class_row(Session)) as cursor:
        return cursor.execute(
            "SELECT began_at, used_at, ends_at FROM web.sessions WHERE name = %s"
            " AND ends_at > now() AND used_at > now() - make_interval(secs => %s)"
            " ORDER BY began_at DESC",
            (name, IDLE_SECONDS),
        ).fetchall()


def end_sessions(connection: Connection[Any], name: str) -> int:
    """End every session under a name; how many these were."""
    return connection.execute("DELETE FROM web.sessions WHERE name = %s", (name,)).rowcount


def of_session(connection: Connection[Any], session_id: str, *, used: bool = True) -> Signed | None:
    """Who is signed in by it; None if it ended, or was not used for an hour; this use counts, or
    not.
    """
    with connection.cursor(row_factory=class_row(Signed)) as cursor:
        return cursor.execute(_USE.encode(), (used, _digest(session_id), IDLE_SECONDS)).fetchone()


def new_token(
    connection: Connection[Any],
    name: str,
    principals: Sequence[str],
    days: int,
    own: OwnThings = NOTHING,
) -> str:
    """A token of a program, which is shown once."""
    token = secrets.token_urlsafe(32)
    connection.execute(
        "INSERT INTO web.tokens (id_digest, name, principals, ends_at, accounts, vendors, buyer_id)"
        " VALUES (%s, %s, %s, now() + make_interval(days => %s), %s, %s, %s)",
        (_digest(token), name, list(principals), days, *_row(own)),
    )
    return token


def of_token(connection: Connection[Any], token: str) -> Signed | None:
    """Who has the token; None if there is none, or it has ended."""
    with connection.cursor(row_factory=class_row(Signed)) as cursor:
        return cursor.execute(
            "SELECT name, principals, accounts, vendors, buyer_id FROM web.tokens"
            " WHERE id_digest = %s AND ends_at > now() AND name NOT IN"
            " (SELECT name FROM web.people WHERE ended_at IS NOT NULL)",
            (_digest(token),),
        ).fetchone()


class Mark(Struct, frozen=True, kw_only=True):
    """By what somebody is known again without being asked anew: the digest of a session or of a
    token, or the name that a proxy gives.
    """

    kind: Literal["session", "token", "name"]
    digest: bytes = b""
    name: str = ""


def mark_of_session(session_id: str) -> Mark:
    """That of who signed in."""
    return Mark(kind="session", digest=_digest(session_id))


def mark_of_token(token: str) -> Mark:
    """That of a program."""
    return Mark(kind="token", digest=_digest(token))


def still_there(connection: Connection[Any], marks: Iterable[Mark]) -> set[Mark]:
    """Those of them that still count, by one query. Being looked at is no use of a session."""
    by_kind: dict[str, dict[bytes | str, Mark]] = {"session": {}, "token": {}, "name": {}}
    for mark in marks:
        by_kind[mark.kind][mark.name or mark.digest] = mark
    sessions, tokens, names = (by_kind[kind] for kind in ("session", "token", "name"))
    rows = connection.execute(
        _STILL_THERE, (list(sessions), IDLE_SECONDS, list(tokens), list(names))
    ).fetchall()
    return {by_kind[kind][digest or name] for kind, digest, name in rows}


def _row(own: OwnThings) -> tuple[list[str], list[str], str | None]:
    return list(own.accounts), list(own.vendors), own.buyer_id


def _right(digest: str, password: str) -> bool:
    if not _verifying.acquire(timeout=PATIENCE_SECONDS):
        raise Problem(
            503, "Not available", "too many sign in at the same time; try again in a moment"
        )
    try:
        return _hasher.verify(digest, password)
    except VerificationError:
        return False
    finally:
        _verifying.release()


def _count_failure(connection: Connection[Any], name: str) -> None:
    connection.execute(
        "UPDATE web.people SET failures = (failures + 1) %% %s, locked_until = CASE"
        " WHEN failures + 1 >= %s THEN now() + make_interval(secs => %s) END WHERE name = %s",
        (FAILURES, FAILURES, LOCKED_SECONDS, name),
    )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
