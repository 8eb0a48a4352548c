"""The certificate and the password of a database server with TLS, as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from devstack.certificates import authority, issue, new_password, write_secret

NAME = "postgres"


def prepare_database(folder: Path, hosts: Sequence[str], clients: Sequence[str]) -> None:
    """Have the server's certificate, its password, and a password file for each client.

    The certificate is new at every call, the rest stays. A password file has the form of libpq's.
    """
    issue(authority(folder), folder / f"{NAME}.pem", NAME, tuple(hosts))
    password = folder / f"{NAME}.password"
    if not password.exists():
        write_secret(password, new_password().encode())
    line = f"*:*:*:*:{password.read_text('utf-8')}\n"
    for client in clients:
        write_secret(folder / f"{client}.pgpass", line.encode())
