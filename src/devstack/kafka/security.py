"""What a secured cluster needs: certificates, and a user with a password for each principal."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from devstack.certificates import authority, issue, new_password, write_secret

ADMINISTRATOR = "broker"
"""Brokers and the preparations of a start are known by this certificate, and may do everything."""

LOOPBACK = ("localhost", "127.0.0.1")
MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256")
"""Two, so that a principal has two passwords while one is replaced; a new file uses the first."""

_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required"


def prepare(
    folder: Path,
    principals: Sequence[str],
    bootstrap: str,
    hosts: Sequence[str] = LOOPBACK,
) -> None:
    """Have authority, the brokers' certificate and the principals' files; the certificate is new
    at every start, the rest stays. `bootstrap` is the brokers' own listener, `hosts` are their
    names.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    signer = authority(folder)
    issue(signer, certificate(folder), ADMINISTRATOR, tuple(hosts))
    write_secret(administrator_file(folder), _administrator_settings(folder, bootstrap).encode())
    for principal in principals:
        path = client_file(folder, principal)
        if not path.exists():
            write_client_file(folder, principal, MECHANISMS[0], new_password())


def hand_over(folder: Path, owners: Mapping[str, int]) -> None:
    """Give each file of these names to the user of that id, who alone can read it."""
    folder.chmod(0o755)
    for name, user in owners.items():
        for path in folder.glob(f"{name}.*"):
            os.chown(path, user, user)


def certificate(folder: Path) -> Path:
    """The administrator's key and certificate."""
    return folder / f"{ADMINISTRATOR}.pem"


def authority_file(folder: Path) -> Path:
    """What clients verify the brokers by."""
    return folder / "ca.pem"


def client_file(folder: Path, principal: str) -> Path:
    """A principal's .properties file, for our clients and for Kafka's own tools."""
    return folder / f"{principal}.properties"


def administrator_file(folder: Path) -> Path:
    """The same for the administrator, with the brokers' addresses; a certificate, no password."""
    return client_file(folder, ADMINISTRATOR)


def principals_in(folder: Path) -> tuple[str, ...]:
    """Who has a file."""
    found = sorted(path.stem for path in folder.glob("*.properties"))
    return tuple(name for name in found if name != ADMINISTRATOR)


def broker_settings(folder: Path, listeners: Sequence[str]) -> dict[str, object]:
    """What a secured broker is told beside its listeners; those named ask clients for passwords."""
    return {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:CN={ADMINISTRATOR}",
        # Whoever shows another certificate of the authority is the principal of its name.
        "ssl.principal.mapping.rules": f"RULE:^CN=(?!{ADMINISTRATOR}$)(.+)$/$1/,DEFAULT",
        "allow.everyone.if.no.acl.found": "false",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": certificate(folder),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": authority_file(folder),
        "listener.name.internal.ssl.client.auth": "required",
        "listener.name.controller.ssl.client.auth": "required",
        "sasl.enabled.mechanisms": ",".join(MECHANISMS),
        **{
            f"listener.name.{listener}.{mechanism.lower()}.sasl.jaas.config": f"{_LOGIN};"
            for listener in listeners
            for mechanism in MECHANISMS
        },
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


def administrator_bootstrap(folder: Path) -> str:
    """The brokers' own listener, as the administrator's file has it."""
    return setting(administrator_file(folder), "bootstrap.servers")


def password_of(folder: Path, principal: str) -> str:
    """The password in the principal's file."""
    login = setting(client_file(folder, principal), "sasl.jaas.config")
    return login.partition('password="')[2].partition('"')[0]


def setting(path: Path, key: str) -> str:
    """One line's value in a .properties file that `prepare` wrote."""
    lines = path.read_text("utf-8").splitlines()
    return next(line for line in lines if line.startswith(f"{key}=")).partition("=")[2]


def write_client_file(folder: Path, principal: str, mechanism: str, password: str) -> None:
    """Replace a principal's file; it belongs to whom it belonged before."""
    path = client_file(folder, principal)
    owner = path.stat() if path.exists() else None
    lines = (
        "security.protocol=SASL_SSL",
        f"sasl.mechanism={mechanism}",
        f'sasl.jaas.config={_LOGIN} username="{principal}" password="{password}";',
        "ssl.truststore.type=PEM",
        f"ssl.truststore.location={_escaped(authority_file(folder))}",
    )
    write_secret(path, "".join(f"{line}\n" for line in lines).encode())
    if owner is not None:
        os.chown(path, owner.st_uid, owner.st_gid)


def _administrator_settings(folder: Path, bootstrap: str) -> str:
    lines = (
        f"bootstrap.servers={bootstrap}",
        "security.protocol=SSL",
        "ssl.keystore.type=PEM",
        f"ssl.keystore.location={_escaped(certificate(folder))}",
        "ssl.truststore.type=PEM",
        f"ssl.truststore.location={_escaped(authority_file(folder))}",
    )
    return "".join(f"{line}\n" for line in lines)


def _escaped(path: Path) -> str:
    return str(path).replace("\\", "\\\\")
