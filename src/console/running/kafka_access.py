"""How the brokers are spoken to, as the environment and a Kafka .properties file say.

What the environment says goes before what the file says.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from console.running.secret_files import check_private, one_secret
from console.terminal.errors import BadInput

if TYPE_CHECKING:
    from ledger.log.kafka.client.security import KafkaSecurity

log = logging.getLogger(__name__)


def _named(name: str) -> Any:
    """Named to the person whose value is refused."""
    return Field(default=None, validation_alias=f"REFUNDS_KAFKA_{name}")


class KafkaAccess(BaseSettings):
    """Read from environment variables alone; an empty one counts as unset."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True, extra="ignore")

    security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] | None = _named("SECURITY")
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] | None = (
        _named("SASL_MECHANISM")
    )
    user: str | None = _named("USER")
    password: SecretStr | None = _named("PASSWORD")
    password_file: Path | None = _named("PASSWORD_FILE")
    token_file: Path | None = _named("TOKEN_FILE")
    ca_file: Path | None = _named("CA_FILE")
    certificate_file: Path | None = _named("CERTIFICATE_FILE")
    key_file: Path | None = _named("KEY_FILE")
    key_password: SecretStr | None = _named("KEY_PASSWORD")
    key_password_file: Path | None = _named("KEY_PASSWORD_FILE")
    check_hostname: bool | None = _named("CHECK_HOSTNAME")
    properties: Path | None = _named("PROPERTIES")
    """A Kafka client's .properties file."""

    def told(self) -> tuple[str, ...]:
        """The names of what is set."""
        return tuple(f"REFUNDS_KAFKA_{name.upper()}" for name in sorted(self.model_fields_set))


def kafka_security(access: KafkaAccess | None = None) -> KafkaSecurity:
    """The security of every Kafka client of this process; raises BadInput.

    1. The file's, where one is named. 2. Over it what the environment sets. 3. Whether it goes
    together, and its files can be used.
    """
    return _checked(_in_environment(access or KafkaAccess()))


def security_of_file(path: Path) -> KafkaSecurity:
    """The security that a .properties file alone says; raises BadInput."""
    from console.running.kafka_properties import read_properties

    return _checked(read_properties(path))


def _checked(told: dict[str, Any]) -> KafkaSecurity:
    from ledger.log.kafka.client.security import BadSecurity, security_options

    try:
        made = _made(told)
        if made.certificate_file is not None:
            check_private("REFUNDS_KAFKA_KEY_FILE", made.key_file or made.certificate_file)
        if made.token_file is not None:
            check_private("REFUNDS_KAFKA_TOKEN_FILE", made.token_file)
        security_options(made)
    except BadSecurity as error:
        raise BadInput(str(error)) from error
    if not made.check_hostname:
        log.warning("whether a broker's certificate is for its host name is not checked")
    return made


def _in_environment(access: KafkaAccess) -> dict[str, Any]:
    from console.running.kafka_properties import read_properties

    found: dict[str, Any] = {} if access.properties is None else read_properties(access.properties)
    password, key_password = (
        one_secret((f"REFUNDS_KAFKA_{name}", f"REFUNDS_KAFKA_{name}_FILE"), given, path)
        for name, given, path in (
            ("PASSWORD", access.password, access.password_file),
            ("KEY_PASSWORD", access.key_password, access.key_password_file),
        )
    )
    own = {
        "protocol": access.security,
        "mechanism": access.sasl_mechanism,
        "user": access.user,
        "password": password,
        "token_file": access.token_file,
        "ca_file": access.ca_file,
        "certificate_file": access.certificate_file,
        "key_file": access.key_file,
        "key_password": key_password,
        "check_hostname": access.check_hostname,
    }
    return found | {name: value for name, value in own.items() if value is not None}


def _made(told: dict[str, Any]) -> KafkaSecurity:
    from ledger.log.kafka.client.security import KafkaSecurity, Mechanism, Protocol

    protocol = Protocol(told.pop("protocol", Protocol.PLAINTEXT))
    mechanism = told.pop("mechanism", None)
    return KafkaSecurity(
        protocol=protocol, mechanism=None if mechanism is None else Mechanism(mechanism), **told
    )
