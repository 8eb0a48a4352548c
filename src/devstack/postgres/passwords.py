"""Takes the password out of a database's URL, into a file that only its owner reads."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlencode

from devstack.certificates import write_secret
from devstack.errors import DevstackError


def without_password(url: str) -> str:
    """The URL without its passwords, for output; of one that libpq does not read, nothing."""
    try:
        return _url({**_parts(url), "password": None, "sslpassword": None}, url)
    except DevstackError:
        return "a URL that cannot be read"


def kept_apart(url: str, file: Path) -> str:
    """The URL with `passfile` instead of its password, which is written into the file.

    Raises DevstackError for a URL that libpq does not read, and for the password of a key, for
    which libpq has no file.
    """
    parts = _parts(url)
    if "sslpassword" in parts:
        raise DevstackError(
            "DATABASE_URL has sslpassword, which would be written into the stack's files: name a "
            "key without a password (sslkey), in a file that only you can read."
        )
    password = parts.get("password")
    if password is None:
        return url
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    write_secret(file, f"*:*:*:*:{escaped}\n".encode())
    return _url({**parts, "password": None, "passfile": str(file)}, url)


def _parts(url: str) -> dict[str, str]:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        return {key: str(value) for key, value in conninfo_to_dict(url).items()}
    except psycopg.ProgrammingError:
        # Without its cause, which quotes the URL.
        raise DevstackError(
            "DATABASE_URL is no URL of a PostgreSQL database: write it as "
            "postgresql://user@host:port/database."
        ) from None


def _url(parts: dict[str, str | None], given: str) -> str:
    """All parts as parameters; as it was given where it had no password."""
    told = {key: value for key, value in parts.items() if value is not None}
    if told == _parts(given):
        return given
    return f"postgresql:///?{urlencode(told, quote_via=quote, safe='/')}"
