"""A certificate authority in a folder, the certificates that it signs as PEM files, passwords."""

from __future__ import annotations

import ipaddress
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

AUTHORITY_YEARS, CERTIFICATE_YEARS = 10, 1
_PASSWORD_BYTES = 32
_CLOCKS_DIFFER = timedelta(minutes=5)
_YEAR = timedelta(days=365)


class Authority(Struct, frozen=True, kw_only=True):
    """Signs certificates. `certificate` is public; `key` must not leave the folder."""

    certificate: Path
    key: Path


def authority(folder: Path, name: str = "refund-ledger") -> Authority:
    """The folder's authority; created at the first call."""
    folder.mkdir(parents=True, exist_ok=True)
    found = Authority(certificate=folder / "ca.pem", key=folder / "ca.key")
    if not found.certificate.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(name, key, _now() + AUTHORITY_YEARS * _YEAR).issuer_name(_named(name))
        made = builder.add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        ).sign(key, hashes.SHA256())
        # The key first: if the certificate exists, the key exists too.
        write_secret(found.key, _pem(key))
        write_whole(found.certificate, made.public_bytes(Encoding.PEM))
    return found


def issue(
    signer: Authority,
    target: Path,
    name: str,
    hosts: tuple[str, ...] = (),
    *,
    until: datetime | None = None,
    key_password: bytes | None = None,
) -> None:
    """Write a new key and its certificate, for this name and these hosts, into one file.

    One file, key first, is Java's key store of type PEM; other programs can read it too.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    parent = x509.load_pem_x509_certificate(signer.certificate.read_bytes())
    signing = load_pem_private_key(signer.key.read_bytes(), None)
    assert isinstance(signing, ec.EllipticCurvePrivateKey)
    builder = _builder(name, key, until or _now() + CERTIFICATE_YEARS * _YEAR)
    builder = builder.issuer_name(parent.subject).add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
        critical=False,
    )
    if hosts:
        names = x509.SubjectAlternativeName([_host(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
    made = builder.sign(signing, hashes.SHA256())
    write_secret(target, _pem(key, key_password) + made.public_bytes(Encoding.PEM))


def hosts_of(path: Path) -> tuple[str, ...]:
    """The hosts of the certificate in a file."""
    found = x509.load_pem_x509_certificate(path.read_bytes())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return tuple(str(name.value) for name in names)


def new_password() -> str:
    """A password that nobody can guess."""
    return secrets.token_urlsafe(_PASSWORD_BYTES)


def write_secret(path: Path, content: bytes) -> None:
    """Replace a file atomically; other users can never read it."""
    partial = path.with_name(f".{path.name}.new")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    partial.write_bytes(content)
    partial.replace(path)


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file atomically; everybody may read it."""
    write_secret(path, content)
    path.chmod(0o644)


def _builder(
    name: str, key: ec.EllipticCurvePrivateKey, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(_now(), until - timedelta(days=1)) - _CLOCKS_DIFFER)
        .not_valid_after(until)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: ec.EllipticCurvePrivateKey, password: bytes | None = None) -> bytes:
    kept = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, kept)


def _now() -> datetime:
    return datetime.now(UTC)
