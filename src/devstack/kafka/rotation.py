"""Users and certificates of brokers that run: made, and replaced without a stop."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from devstack.certificates import authority, hosts_of, issue, new_password
from devstack.errors import DevstackError
from devstack.kafka.security import (
    ADMINISTRATOR,
    MECHANISMS,
    administrator_bootstrap,
    administrator_options,
    certificate,
    client_file,
    password_of,
    principals_in,
    setting,
    write_client_file,
)

LISTENERS = ("listener.security.protocol.map", "ssl.keystore.location")


def add_users(folder: Path, principals: Sequence[str]) -> None:
    """Have the brokers know the principals by the passwords in their files."""
    with _administrator(folder) as admin:
        _alter(
            admin,
            [
                _known(name, _mechanism(folder, name), password_of(folder, name))
                for name in principals
            ],
        )


def renew_password(folder: Path, principal: str) -> None:
    """Give a principal a new password; the old one stays valid until `drop_old_passwords`.

    1. The brokers know the new one, by the mechanism that the file does not use. 2. The file has
    it. A stop in between leaves the old one in use; the next call begins again.
    """
    if principal not in principals_in(folder):
        raise DevstackError(
            f"{client_file(folder, principal)} is not there: name another principal."
        )
    now = _mechanism(folder, principal)
    other, password = next(each for each in MECHANISMS if each != now), new_password()
    with _administrator(folder) as admin:
        _alter(admin, [_known(principal, other, password)])
    write_client_file(folder, principal, other, password)


def drop_old_passwords(folder: Path) -> tuple[str, ...]:
    """Have the brokers forget every password that no file uses; whose they were."""
    from kafka.admin import UserScramCredentialDeletion

    names = principals_in(folder)
    with _administrator(folder) as admin:
        found = admin.describe_user_scram_credentials(names)
        old = [
            UserScramCredentialDeletion(name, each["mechanism"])
            for name in names
            for each in found[name]["credential_infos"]
            if each["mechanism"] != _scram(_mechanism(folder, name))
        ]
        if old:
            _alter(admin, old)
    return tuple(each.user for each in old)


def renew_certificate(folder: Path) -> tuple[int, ...]:
    """Give the brokers a new key and certificate for the same hosts; the ids of the brokers.

    1. Write the file: whoever starts now shows the new one. 2. Ask each broker to read it again,
    for every listener. Open connections stay. A stop in between: call it again.
    """
    from kafka.admin import ConfigResource, ConfigResourceType

    path = certificate(folder)
    owner = path.stat()
    # 1
    issue(authority(folder), path, ADMINISTRATOR, hosts_of(path))
    os.chown(path, owner.st_uid, owner.st_gid)
    # 2
    with _administrator(folder) as admin:
        nodes = tuple(each["broker_id"] for each in admin.describe_cluster()["brokers"])
        for node in nodes:
            asked = dict.fromkeys(LISTENERS)
            resource = ConfigResource(ConfigResourceType.BROKER, str(node), configs=asked)
            told = admin.describe_configs([resource], config_filter="all")
            resource.configs = _key_stores(told["broker"][str(node)])
            done = admin.alter_configs([resource], raise_on_unknown=False)
            if done["broker"][str(node)] != "OK":
                raise DevstackError(f"broker {node} does not take the certificate: {done}.")
    return nodes


def _key_stores(told: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The same key store for every listener that has TLS: the broker then reads it again."""
    pairs = (pair.split(":") for pair in told[LISTENERS[0]]["value"].split(","))
    place = told[LISTENERS[1]]["value"]
    return {
        f"listener.name.{name.lower()}.{LISTENERS[1]}": place
        for name, protocol in pairs
        if protocol.endswith("SSL")
    }


@contextmanager
def _administrator(folder: Path) -> Iterator[Any]:
    # Imported by whoever runs a cluster: nothing else here needs the client.
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

    try:
        admin = KafkaAdminClient(
            bootstrap_servers=administrator_bootstrap(folder), **administrator_options(folder)
        )
        try:
            yield admin
        finally:
            admin.close()
    except (KafkaError, OSError) as error:
        raise DevstackError(
            f"the brokers at {administrator_bootstrap(folder)} do not do it: {error}; are they "
            f"running, and is {folder} theirs?"
        ) from error


def _alter(admin: Any, changes: Sequence[Any]) -> None:
    done = admin.alter_user_scram_credentials(list(changes))
    refused = {user: why for user, why in done.items() if why}
    if refused:
        raise DevstackError(f"the brokers do not take the users {refused}: see their logs.")


def _known(principal: str, mechanism: str, password: str) -> Any:
    from kafka.admin import UserScramCredentialUpsertion

    return UserScramCredentialUpsertion(principal, _scram(mechanism), password)


def _scram(mechanism: str) -> Any:
    from kafka.admin import ScramMechanism

    return ScramMechanism[mechanism.replace("-", "_")]


def _mechanism(folder: Path, principal: str) -> str:
    return setting(client_file(folder, principal), "sasl.mechanism")
