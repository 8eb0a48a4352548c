"""Deletes that by which nobody signs in any more, a few rows at a time, where new ones come."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

AT_ONCE = 100
"""More than are written at once, so that what has ended is soon gone."""
_SESSIONS = """
DELETE FROM web.sessions WHERE id_digest = ANY(ARRAY(
    SELECT id_digest FROM web.sessions WHERE ends_at < now()
    ORDER BY ends_at LIMIT %s FOR UPDATE SKIP LOCKED))
"""
_SIGN_INS = """
DELETE FROM web.sign_ins WHERE browser_digest = ANY(ARRAY(
    SELECT browser_digest FROM web.sign_ins WHERE ends_at < now()
    ORDER BY ends_at LIMIT %s FOR UPDATE SKIP LOCKED))
"""


def delete_ended_sessions(connection: Connection[Any]) -> int:
    """Delete the sessions that ended first; how many these were."""
    return connection.execute(_SESSIONS, (AT_ONCE,)).rowcount


def delete_ended_sign_ins(connection: Connection[Any]) -> int:
    """Delete the sign-ins that no provider answered in time; how many these were."""
    return connection.execute(_SIGN_INS, (AT_ONCE,)).rowcount
