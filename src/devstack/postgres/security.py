"""What a secured database needs: a certificate, and a file with a password for each role."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, urlencode

from devstack.certificates import authority, issue, new_password, write_secret

ADMINISTRATOR = "postgres"
LOOPBACK = ("localhost", "127.0.0.1")
ACCESS = "host all all 127.0.0.1/32 scram-sha-256\n"
"""All of pg_hba.conf: nobody connects without a password."""

_SALT_BYTES, _ROUNDS = 16, 4_096


def prepare(folder: Path, roles: Sequence[str], hosts: Sequence[str] = LOOPBACK) -> None:
    """Have the authority, the server's certificate, and a password file for each role and for the
    administrator; the certificate is new at every start, the rest stays. `hosts` are the server's
    names.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    issue(authority(folder), certificate(folder), "database", tuple(hosts))
    for role in (ADMINISTRATOR, *roles):
        path = password_file(folder, role)
        if not path.exists():
            write_secret(path, f"*:*:*:{role}:{new_password()}\n".encode())


def certificate(folder: Path) -> Path:
    """The server's key and certificate."""
    return folder / "database.pem"


def password_file(folder: Path, role: str) -> Path:
    """A role's password, as libpq reads it (`passfile`)."""
    return folder / f"{role}.pgpass"


def url_of(folder: Path, role: str, port: int, database: str) -> str:
    """How that role connects: by TLS, to this server and no other; the URL has no password."""
    told = {
        "sslmode": "verify-full",
        "sslrootcert": folder / "ca.pem",
        "passfile": password_file(folder, role),
    }
    return f"postgresql://{role}@127.0.0.1:{port}/{database}?{urlencode(told, quote_via=quote)}"


def prepare_first_start(folder: Path, roles: Sequence[str]) -> None:
    """For a server that others start: the administrator's password alone, and `users_sql`."""
    write_secret(folder / "database.password", _password(folder, ADMINISTRATOR).encode())
    write_secret(folder / "database.sql", users_sql(folder, roles))


def users_sql(folder: Path, roles: Sequence[str]) -> bytes:
    """Statements, each in one line, that have the server know the roles by their passwords. Only
    what a password is checked by stands in them.
    """
    lines = [
        f"DO $$ BEGIN IF to_regrole('{role}') IS NULL THEN CREATE ROLE {role} LOGIN NOINHERIT; "
        "END IF; END $$;"
        for role in roles
    ] + [
        f"ALTER ROLE {role} PASSWORD '{_verifier(_password(folder, role))}';"
        for role in (ADMINISTRATOR, *roles)
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def _password(folder: Path, role: str) -> str:
    return password_file(folder, role).read_text("utf-8").strip().rpartition(":")[2]


def _verifier(password: str) -> str:
    """What PostgreSQL stores for SCRAM-SHA-256 (RFC 5803)."""
    salt = secrets.token_bytes(_SALT_BYTES)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ROUNDS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    first, second, third = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256${_ROUNDS}:{first}${second}:{third}"
