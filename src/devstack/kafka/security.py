"""What a secured cluster needs: certificates, and a user with a password for each principal."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from devstack.certificates import authority, issue, write_secret
from devstack.errors import DevstackError

ADMINISTRATOR = "broker"
"""Brokers and the preparations of a start are known by this certificate, and may do everything."""

_PASSWORD_BYTES = 32
_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required"


def prepare(folder: Path, principals: Sequence[str]) -> None:
    """Have authority, the brokers' certificate and the principals' files; the certificate is new
    at every start, the rest stays.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    signer = authority(folder)
    issue(signer, certificate(folder), ADMINISTRATOR, ("localhost", "127.0.0.1"))
    for principal in principals:
        path = client_file(folder, principal)
        if not path.exists():
            text = _client_settings(folder, principal, secrets.token_urlsafe(_PASSWORD_BYTES))
            write_secret(path, text.encode())


def certificate(folder: Path) -> Path:
    """The administrator's key and certificate."""
    return folder / f"{ADMINISTRATOR}.pem"


def authority_file(folder: Path) -> Path:
    """What clients verify the brokers by."""
    return folder / "ca.pem"


def client_file(folder: Path, principal: str) -> Path:
    """A principal's .properties file, for our clients and for Kafka's own tools."""
    return folder / f"{principal}.properties"


def broker_settings(folder: Path) -> dict[str, object]:
    """What a secured broker is told beside its listeners."""
    return {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:CN={ADMINISTRATOR}",
        "allow.everyone.if.no.acl.found": "false",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": certificate(folder),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": authority_file(folder),
        "listener.name.internal.ssl.client.auth": "required",
        "listener.name.controller.ssl.client.auth": "required",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": f"{_LOGIN};",
    }


def administrator_options(folder: Path) -> dict[str, Any]:
    """For a client of the brokers' own listener."""
    return {
        "security_protocol": "SSL",
        "ssl_cafile": str(authority_file(folder)),
        "ssl_certfile": str(certificate(folder)),
    }


def administrator_env(folder: Path, bootstrap: str) -> dict[str, str]:
    """The same for a program, in its environment: paths, no secrets."""
    return {
        "KAFKA_BOOTSTRAP": bootstrap,
        "REFUNDS_KAFKA_SECURITY": "SSL",
        "REFUNDS_KAFKA_CA_FILE": str(authority_file(folder)),
        "REFUNDS_KAFKA_CERTIFICATE_FILE": str(certificate(folder)),
    }


def add_users(folder: Path, bootstrap: str, principals: Sequence[str]) -> None:
    """Have the brokers know the principals by the passwords in their files."""
    # Imported by whoever starts a cluster: nothing else here needs the client.
    from kafka import KafkaAdminClient
    from kafka.admin import ScramMechanism, UserScramCredentialUpsertion

    admin = KafkaAdminClient(bootstrap_servers=bootstrap, **administrator_options(folder))
    try:
        known = [
            UserScramCredentialUpsertion(
                principal, ScramMechanism.SCRAM_SHA_512, _password(client_file(folder, principal))
            )
            for principal in principals
        ]
        refused = {
            user: why for user, why in admin.alter_user_scram_credentials(known).items() if why
        }
    finally:
        admin.close()
    if refused:
        raise DevstackError(f"the brokers do not take the users {refused}: see their logs.")


def _client_settings(folder: Path, principal: str, password: str) -> str:
    lines = (
        "security.protocol=SASL_SSL",
        "sasl.mechanism=SCRAM-SHA-512",
        f'sasl.jaas.config={_LOGIN} username="{principal}" password="{password}";',
        "ssl.truststore.type=PEM",
        f"ssl.truststore.location={_escaped(authority_file(folder))}",
    )
    return "".join(f"{line}\n" for line in lines)


def _escaped(path: Path) -> str:
    return str(path).replace("\\", "\\\\")


def _password(path: Path) -> str:
    text = path.read_text("utf-8")
    return text.partition('password="')[2].partition('"')[0]
