"""The settings with which a client authenticates to the brokers, and verifies them."""

from __future__ import annotations

import ssl
from enum import StrEnum
from pathlib import Path
from typing import Any

from kafka.net.sasl.oauth import AbstractTokenProvider
from msgspec import Struct
from pydantic import SecretStr

PREFIX = "REFUNDS_KAFKA_"
"""The prefix of these settings in the environment."""


class Protocol(StrEnum):
    """The protocol of a connection, with Kafka's names."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"

    @property
    def has_tls(self) -> bool:
        """Whether the brokers have a certificate and the connection is encrypted."""
        return self in (Protocol.SSL, Protocol.SASL_SSL)

    @property
    def has_sasl(self) -> bool:
        """Whether clients must authenticate."""
        return self in (Protocol.SASL_PLAINTEXT, Protocol.SASL_SSL)


class Mechanism(StrEnum):
    """The SASL mechanism."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"
    OAUTHBEARER = "OAUTHBEARER"


class BadSecurity(ValueError):
    """Settings that contradict each other, or a file that cannot be used; names the setting."""


class KafkaSecurity(Struct, frozen=True, kw_only=True):
    """Raises BadSecurity if settings contradict each other. The key may be in the certificate's
    file.
    """

    protocol: Protocol = Protocol.PLAINTEXT
    mechanism: Mechanism | None = None
    user: str | None = None
    password: SecretStr | None = None
    token_file: Path | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    key_password: SecretStr | None = None
    check_hostname: bool = True

    def __post_init__(self) -> None:
        """Refuse settings that would be ignored, or would fail at the broker."""
        _check_tls(self)
        _check_sasl(self)


def security_options(security: KafkaSecurity) -> dict[str, Any]:
    """The options of every client; reads the certificates. BadSecurity if one cannot be used."""
    options: dict[str, Any] = {"security_protocol": security.protocol.value}
    if security.protocol.has_tls:
        options["ssl_context"] = tls_context(security)
    if security.protocol.has_sasl:
        options |= sasl_options(security)
    return options


def sasl_options(security: KafkaSecurity) -> dict[str, Any]:
    """The options of the client's SASL mechanism."""
    assert security.mechanism is not None
    options: dict[str, Any] = {
        "security_protocol": security.protocol.value,
        "sasl_mechanism": security.mechanism.value,
    }
    if security.token_file is not None:
        return {**options, "sasl_oauth_token_provider": _TokenFile(security.token_file)}
    assert security.password is not None
    return {
        **options,
        "sasl_plain_username": security.user,
        "sasl_plain_password": security.password.get_secret_value(),
    }


def tls_context(security: KafkaSecurity) -> ssl.SSLContext:
    """Verifies the brokers' certificates; without a CA file, with the machine's authorities."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = security.check_hostname
    if security.ca_file is None:
        context.load_default_certs()
    else:
        _load_authorities(context, security.ca_file)
    if security.certificate_file is not None:
        _load_certificate(context, security, security.certificate_file)
    return context


def _load_authorities(context: ssl.SSLContext, path: Path) -> None:
    try:
        context.load_verify_locations(path)
    except ssl.SSLError as error:
        raise BadSecurity(
            f"{PREFIX}CA_FILE {path}: no certificate in PEM form is in it ({error.reason}); "
            "write the authority's as '-----BEGIN CERTIFICATE-----' and so on"
        ) from error
    except OSError as error:
        raise BadSecurity(f"{PREFIX}CA_FILE {path}: {error.strerror}; correct the path") from error


def _load_certificate(context: ssl.SSLContext, security: KafkaSecurity, path: Path) -> None:
    key, kept = security.key_file or path, security.key_password
    password = kept.get_secret_value() if kept is not None else ""
    try:
        # Always given: without a password openssl asks for one at the terminal.
        context.load_cert_chain(path, key, lambda: password)
    except ssl.SSLError as error:
        raise BadSecurity(
            f"{PREFIX}CERTIFICATE_FILE {path} and the key in {key} cannot be used "
            f"({error.reason or 'wrong key password'}); both must be PEM, the key that of the "
            f"certificate, and {PREFIX}KEY_PASSWORD_FILE name the key's password if it has one"
        ) from error
    except OSError as error:
        raise BadSecurity(
            f"{PREFIX}CERTIFICATE_FILE {path} or {PREFIX}KEY_FILE {key}: {error.strerror}; "
            "correct the path"
        ) from error


class _TokenFile(AbstractTokenProvider):  # type: ignore[misc]  # the client asks for a subclass
    """Reads the token again for every connection: to renew a token, replace its file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def token(self) -> str:
        """The present token."""
        return self._path.read_text("ascii").strip()


def _check_tls(security: KafkaSecurity) -> None:
    told = {
        "CA_FILE": security.ca_file,
        "CERTIFICATE_FILE": security.certificate_file,
        "KEY_FILE": security.key_file,
        "KEY_PASSWORD": security.key_password,
        "CHECK_HOSTNAME": None if security.check_hostname else "false",
    }
    _check_use(security, security.protocol.has_tls, told, "has no TLS", "SSL or SASL_SSL")
    if security.certificate_file is None and (security.key_file or security.key_password):
        raise BadSecurity(
            f"{PREFIX}KEY_FILE or {PREFIX}KEY_PASSWORD is set, and no certificate; "
            f"set {PREFIX}CERTIFICATE_FILE to the certificate the key is for"
        )


def _check_sasl(security: KafkaSecurity) -> None:
    told = {
        "SASL_MECHANISM": security.mechanism,
        "USER": security.user,
        "PASSWORD": security.password,
        "TOKEN_FILE": security.token_file,
    }
    protocol, mechanism = security.protocol, security.mechanism
    _check_use(security, protocol.has_sasl, told, "authenticates nobody", "SASL_SSL")
    if not protocol.has_sasl:
        return
    if mechanism is None:
        known = ", ".join(Mechanism)
        raise BadSecurity(
            f"{PREFIX}SECURITY is {protocol}, and no mechanism is named; set "
            f"{PREFIX}SASL_MECHANISM to one of {known}"
        )
    by_token = mechanism is Mechanism.OAUTHBEARER
    needed = ("TOKEN_FILE",) if by_token else ("USER", "PASSWORD")
    for name in ("USER", "PASSWORD", "TOKEN_FILE"):
        if name in needed and told[name] is None:
            more = f" or {PREFIX}PASSWORD_FILE" if name == "PASSWORD" else ""
            raise BadSecurity(
                f"{PREFIX}SASL_MECHANISM is {mechanism}, and {PREFIX}{name} is not set; "
                f"set it{more}"
            )
        if name not in needed and told[name] is not None:
            raise BadSecurity(
                f"{PREFIX}SASL_MECHANISM is {mechanism}, which has no use for {PREFIX}{name}; "
                "unset it, or name another mechanism"
            )


def _check_use(
    security: KafkaSecurity, used: bool, told: dict[str, Any], what: str, instead: str
) -> None:
    """Refuse settings that the protocol ignores: people would think that they have an effect."""
    idle = [PREFIX + name for name, value in told.items() if value is not None]
    if idle and not used:
        raise BadSecurity(
            f"{' and '.join(idle)} set, but {PREFIX}SECURITY is {security.protocol}, which {what}; "
            f"set it to {instead}, or unset {'it' if len(idle) == 1 else 'them'}"
        )


OPEN = KafkaSecurity()
"""No TLS and no authentication: for brokers that only this machine can reach."""
