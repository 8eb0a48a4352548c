"""The files of keys: a secret in one line, or a private or public key of ed25519 as PEM."""

from __future__ import annotations

import secrets
from pathlib import Path

from console.running.secret_files import check_private, read_secret
from console.terminal.errors import BadInput
from ledger.origins.table import Algorithm

LEAST_SECRET_BYTES = 32
_SECRET_BYTES = 32
_PEM = b"-----BEGIN"


def key_file(folder: Path, origin: str, key_id: str) -> Path:
    """Where a table's folder has a key."""
    return folder / "keys" / origin / f"{key_id}.key"


def new_key(algorithm: Algorithm) -> bytes:
    """The text of a new key's file."""
    if algorithm is Algorithm.HMAC_SHA256:
        return secrets.token_hex(_SECRET_BYTES).encode() + b"\n"
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


def read_key(setting: str, path: Path) -> tuple[Algorithm, bytes]:
    """The algorithm of a key, and what it signs with: a secret's line as it is, or the 32 bytes of
    a private key. BadInput for a file that others may read, and for what is no key.
    """
    check_private(setting, path)
    if _begins(setting, path) == _PEM:
        return Algorithm.ED25519, _private(setting, path)
    secret = read_secret(setting, path).get_secret_value().encode()
    if len(secret) < LEAST_SECRET_BYTES:
        raise BadInput(
            f"{setting} {path}: a secret has at least {LEAST_SECRET_BYTES} characters; let "
            "'refundctl origins add' make one"
        )
    return Algorithm.HMAC_SHA256, secret


def read_public_key(path: Path) -> bytes:
    """The 32 bytes of a public key. BadInput for anything else."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        found = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise BadInput(f"--public-key {path}: {error.strerror}; correct the path") from error
    except ValueError:
        found = None
    if not isinstance(found, Ed25519PublicKey):
        raise BadInput(f"--public-key {path}: not a public key of ed25519 as PEM")
    return found.public_bytes_raw()


def _begins(setting: str, path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(len(_PEM))
    except OSError as error:
        raise BadInput(f"{setting} {path}: {error.strerror}; let this user read it") from error


def _private(setting: str, path: Path) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        found = load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError):  # without its cause, which may quote what it could not read
        found = None
    if not isinstance(found, Ed25519PrivateKey):
        raise BadInput(f"{setting} {path}: not a private key of ed25519 as PEM without a password")
    return found.private_bytes_raw()
