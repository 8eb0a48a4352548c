"""A broker with a listener of every kind of security, each on a port of its own."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

from kafka import KafkaAdminClient
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion
from msgspec import Struct

from devstack.certificates import Authority, authority, issue, write_secret
from devstack.kafka.broker import SETTINGS, Broker, answers, archive_path, cluster_id_in
from devstack.kafka.jar_lock import locked_jars
from devstack.kafka.jars import cache_folder, classpath
from devstack.kafka.java import find_java
from devstack.system.ports import listens, take_ports

PATIENCE_SECONDS = 90.0
PRINCIPALS = (
    "gateway",
    "decider",
    "reactions",
    "projector",
    "webhooks",
    "auditor",
    "operator",
    "console",
)
USER, PASSWORD = "alice", "Tr0ub4dor&3-is-secret"
KEY_PASSWORD = "opens-the-key"
LISTENERS = {
    "CLEAR": "SASL_PLAINTEXT",
    "PASSWORD": "SASL_SSL",
    "ONLYPLAIN": "SASL_SSL",
    "TLS": "SSL",
    "MUTUAL": "SSL",
    "OLD": "SSL",
    "STRANGE": "SSL",
}
"""Listeners by what is asked there; OLD shows an expired certificate, STRANGE another's."""

_LOGIN = "org.apache.kafka.common.security"
_MODULES = {
    "plain": f'{_LOGIN}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";',
    "scram-sha-256": f"{_LOGIN}.scram.ScramLoginModule required;",
    "scram-sha-512": f"{_LOGIN}.scram.ScramLoginModule required;",
    "oauthbearer": f"{_LOGIN}.oauthbearer.OAuthBearerLoginModule required "
    'unsecuredLoginStringClaim_sub="broker";',
}


class SecuredBroker(Struct, frozen=True, kw_only=True):
    """Where each listener is; `folder` holds keys, certificates and passwords."""

    folder: Path
    ports: dict[str, int]

    def at(self, listener: str, host: str = "127.0.0.1") -> str:
        """`host:port` of a listener, or of `open`, which has no security."""
        return f"{host}:{self.ports[listener]}"

    @property
    def ca(self) -> Path:
        """The authority that signed what the broker shows, and that it trusts."""
        return self.folder / "ca.pem"

    def file(self, name: str) -> Path:
        """One of the files a client may be given."""
        return self.folder / name


def token(*, valid_seconds: float = 3_600.0) -> str:
    """A token as the broker's own validator of unsigned ones takes it."""
    now = time.time()
    claims = {"sub": USER, "iat": now - 60, "exp": now + valid_seconds}
    parts = (json.dumps(part).encode() for part in ({"alg": "none"}, claims))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."


@contextmanager
def secured_broker(home: Path) -> Iterator[SecuredBroker]:
    """Run one, alone, for as long as the block."""
    made = _files(home / "files")
    node, ports = _node(home)
    broker = SecuredBroker(folder=made.certificate.parent, ports=ports)
    node.configure()
    _add_listeners(node, broker)
    with (home / "kafka.log").open("wb") as log:
        if node.format_argv:
            subprocess.run(node.format_argv, cwd=node.folder, stdout=log, stderr=log, check=True)
        process = subprocess.Popen(node.argv, cwd=node.folder, stdout=log, stderr=log)
    try:
        _await(node, process, home / "kafka.log")
        _add_users(broker)
        yield broker
    finally:
        # Nothing of it is wanted any more.
        process.kill()
        process.wait(timeout=PATIENCE_SECONDS)


def _files(folder: Path) -> Authority:
    signer = authority(folder)
    past = datetime.now(UTC) - timedelta(days=2)
    issue(signer, folder / "broker.pem", "broker", ("localhost", "127.0.0.1"))
    issue(signer, folder / "expired-broker.pem", "broker", ("127.0.0.1",), until=past)
    issue(signer, folder / "strange-broker.pem", "broker", ("elsewhere.example",))
    issue(signer, folder / "client.pem", "client")
    issue(signer, folder / "expired-client.pem", "client", until=past)
    issue(signer, folder / "locked-client.pem", "client", key_password=KEY_PASSWORD.encode())
    issue(authority(folder / "other", "others"), folder / "others-client.pem", "client")
    secrets = {"password": PASSWORD, "key-password": KEY_PASSWORD, "token": token()}
    for name, secret in (*secrets.items(), ("old-token", token(valid_seconds=-30.0))):
        write_secret(folder / name, f"{secret}\n".encode())
    return signer


def _node(home: Path) -> tuple[Broker, dict[str, int]]:
    ports = take_ports(dict.fromkeys(("open", "controller", *LISTENERS), 0))
    java, jars = find_java(), classpath(locked_jars(), cache_folder(), None, None)
    node = Broker(
        node_id=1,
        folder=home / "kafka",
        port=ports["open"],
        controller_ports=(ports["controller"],),
        cluster_id=cluster_id_in([]),
        java=java,
        classpath=jars,
        archive=archive_path(cache_folder(), java, jars),
    )
    return node, ports


def _add_listeners(node: Broker, broker: SecuredBroker) -> None:
    path = node.folder / SETTINGS
    told = dict(line.split("=", 1) for line in path.read_text("utf-8").splitlines())
    for listener, protocol in LISTENERS.items():
        address = f",{listener}://127.0.0.1:{broker.ports[listener]}"
        told["listeners"] += address
        told["advertised.listeners"] += address
        told["listener.security.protocol.map"] += f",{listener}:{protocol}"
        for mechanism, module in _MODULES.items():
            told[f"listener.name.{listener.lower()}.{mechanism}.sasl.jaas.config"] = module
    told |= {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:ANONYMOUS;User:{USER};User:CN=client",
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
        "listener.name.onlyplain.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.mutual.ssl.client.auth": "required",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(broker.ca),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(broker.file("broker.pem")),
        "listener.name.old.ssl.keystore.location": str(broker.file("expired-broker.pem")),
        "listener.name.strange.ssl.keystore.location": str(broker.file("strange-broker.pem")),
    }
    path.write_text("".join(f"{key}={value}\n" for key, value in told.items()), "utf-8")


def _await(node: Broker, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline, pause = time.monotonic() + PATIENCE_SECONDS, Event()
    while not (listens(node.port) and answers(node.bootstrap, node.node_id)):
        assert process.poll() is None, log.read_text("utf-8")[-2_000:]
        assert time.monotonic() < deadline, log.read_text("utf-8")[-2_000:]
        pause.wait(0.1)


def _add_users(broker: SecuredBroker) -> None:
    admin = KafkaAdminClient(bootstrap_servers=broker.at("open"))
    try:
        for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
            users = (USER, *PRINCIPALS)
            known = [UserScramCredentialUpsertion(user, mechanism, PASSWORD) for user in users]
            assert admin.alter_user_scram_credentials(known) == dict.fromkeys(users)
    finally:
        admin.close()
