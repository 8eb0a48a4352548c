"""Local users, their sessions, and the tokens of programs, in the database."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from msgspec import Struct
from psycopg import Connection
from psycopg.rows import class_row

from console.web.access.own_things import OwnThings

SESSION_SECONDS, IDLE_SECONDS = 12 * 3600, 3600
FAILURES, LOCKED_SECONDS = 5, 300
SHORTEST_PASSWORD = 12
NOTHING = OwnThings()
_hasher = PasswordHasher()
_NOBODY = _hasher.hash("the password of nobody, so that an unknown name takes as long")


class Person(Struct, frozen=True, kw_only=True):
    """A local user, without the password."""

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


def end(connection: Connection[Any], name: str) -> bool:
    """Let nobody sign in under the name any more, and end its sessions and tokens; False if there
    is neither a person nor a token that still counts.
    """
    with connection.transaction():
        connection.execute("DELETE FROM web.sessions WHERE name = %s", (name,))
        tokens = connection.execute(
            "UPDATE web.tokens SET ends_at = now() WHERE name = %s AND ends_at > now()", (name,)
        )
        person = connection.execute(
            "UPDATE web.people SET ended_at = coalesce(ended_at, now()) WHERE name = %s", (name,)
        )
    return tokens.rowcount + person.rowcount > 0


def sign_in(
    connections: Callable[[], AbstractContextManager[Connection[Any]]], name: str, password: str
) -> str | None:
    """The id of a new session; None if name or password are wrong.

    A wrong password counts; after five, Locked is raised for five minutes, also for the right one.
    An unknown name takes as long as a wrong password. No connection is held while the password is
    verified; who is locked meanwhile is not told whether it was right.
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
        if not right or ended or not same:
            _count_failure(connection, name)
            return None
        return _new_session(connection, name)


def _digest_of(connection: Connection[Any], name: str) -> str:
    row = connection.execute(
        "SELECT password_digest, locked_until > now() FROM web.people WHERE name = %s", (name,)
    ).fetchone()
    digest, locked = row or (None, False)
    if locked:
        raise Locked
    return str(digest or _NOBODY)


def _new_session(connection: Connection[Any], name: str) -> str:
    connection.execute("UPDATE web.people SET failures = 0 WHERE name = %s", (name,))
    session_id = secrets.token_urlsafe(32)
    connection.execute(
        "INSERT INTO web.sessions (id_digest, name, csrf, ends_at)"
        " VALUES (%s, %s, %s, now() + make_interval(secs => %s))",
        (_digest(session_id), name, secrets.token_urlsafe(32), SESSION_SECONDS),
    )
    return session_id


def sign_out(connection: Connection[Any], session_id: str) -> None:
    """End a session."""
    connection.execute("DELETE FROM web.sessions WHERE id_digest = %s", (_digest(session_id),))


def of_session(connection: Connection[Any], session_id: str, *, used: bool = True) -> Signed | None:
    """Who is signed in by it; None if it ended, or was not used for an hour; this use counts, or
    not.
    """
    with connection.cursor(row_factory=class_row(Signed)) as cursor:
        return cursor.execute(
            "UPDATE web.sessions s SET used_at = CASE WHEN %s THEN now() ELSE used_at END"
            " FROM web.people p"
            " WHERE s.id_digest = %s AND p.name = s.name AND p.ended_at IS NULL"
            " AND s.ends_at > now() AND s.used_at > now() - make_interval(secs => %s)"
            " RETURNING p.name, p.principals, p.accounts, p.vendors, p.buyer_id, s.csrf",
            (used, _digest(session_id), IDLE_SECONDS),
        ).fetchone()


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
            " WHERE id_digest = %s AND ends_at > now()",
            (_digest(token),),
        ).fetchone()


def _row(own: OwnThings) -> tuple[list[str], list[str], str | None]:
    return list(own.accounts), list(own.vendors), own.buyer_id


def _right(digest: str, password: str) -> bool:
    try:
        return _hasher.verify(digest, password)
    except VerificationError:
        return False


def _count_failure(connection: Connection[Any], name: str) -> None:
    connection.execute(
        "UPDATE web.people SET failures = (failures + 1) %% %s, locked_until = CASE"
        " WHEN failures + 1 >= %s THEN now() + make_interval(secs => %s) END WHERE name = %s",
        (FAILURES, FAILURES, LOCKED_SECONDS, name),
    )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
