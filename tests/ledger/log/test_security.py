"""Settings of security that do not go together are refused before anybody is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from devstack.certificates import authority, issue
from ledger.log.kafka import KafkaSettings
from ledger.log.kafka.client.security import (
    OPEN,
    BadSecurity,
    KafkaSecurity,
    Mechanism,
    Protocol,
    security_options,
)

CA = Path("ca.pem")
BY_PASSWORD: dict[str, Any] = {
    "protocol": Protocol.SASL_SSL,
    "mechanism": Mechanism.SCRAM_SHA_512,
    "user": "alice",
    "password": SecretStr("hidden-one"),
}
WRONG: list[tuple[dict[str, Any], str]] = [
    (
        {**BY_PASSWORD, "protocol": Protocol.SSL},
        "REFUNDS_KAFKA_SASL_MECHANISM and REFUNDS_KAFKA_USER and REFUNDS_KAFKA_PASSWORD set, but "
        "REFUNDS_KAFKA_SECURITY is SSL, which authenticates nobody; set it to SASL_SSL, or "
        "unset them",
    ),
    (
        {"ca_file": CA},
        "REFUNDS_KAFKA_CA_FILE set, but REFUNDS_KAFKA_SECURITY is PLAINTEXT, which has no TLS; "
        "set it to SSL or SASL_SSL, or unset it",
    ),
    (
        {"check_hostname": False},
        "REFUNDS_KAFKA_CHECK_HOSTNAME set, but REFUNDS_KAFKA_SECURITY is PLAINTEXT, which has no "
        "TLS; set it to SSL or SASL_SSL, or unset it",
    ),
    (
        {"protocol": Protocol.SSL, "key_file": Path("key.pem")},
        "REFUNDS_KAFKA_KEY_FILE or REFUNDS_KAFKA_KEY_PASSWORD is set, and no certificate; set "
        "REFUNDS_KAFKA_CERTIFICATE_FILE to the certificate the key is for",
    ),
    (
        {**BY_PASSWORD, "mechanism": None},
        "REFUNDS_KAFKA_SECURITY is SASL_SSL, and no mechanism is named; set "
        "REFUNDS_KAFKA_SASL_MECHANISM to one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER",
    ),
    (
        {**BY_PASSWORD, "user": None},
        "REFUNDS_KAFKA_SASL_MECHANISM is SCRAM-SHA-512, and REFUNDS_KAFKA_USER is not set; set it",
    ),
    (
        {**BY_PASSWORD, "password": None},
        "REFUNDS_KAFKA_SASL_MECHANISM is SCRAM-SHA-512, and REFUNDS_KAFKA_PASSWORD is not set; "
        "set it or REFUNDS_KAFKA_PASSWORD_FILE",
    ),
    (
        {**BY_PASSWORD, "token_file": Path("token")},
        "REFUNDS_KAFKA_SASL_MECHANISM is SCRAM-SHA-512, which has no use for "
        "REFUNDS_KAFKA_TOKEN_FILE; unset it, or name another mechanism",
    ),
    (
        {"protocol": Protocol.SASL_SSL, "mechanism": Mechanism.OAUTHBEARER},
        "REFUNDS_KAFKA_SASL_MECHANISM is OAUTHBEARER, and REFUNDS_KAFKA_TOKEN_FILE is not set; "
        "set it",
    ),
]


@pytest.mark.parametrize(("told", "refusal"), WRONG)
def test_what_does_not_go_together_is_refused(told: dict[str, Any], refusal: str) -> None:
    with pytest.raises(BadSecurity) as refused:
        KafkaSecurity(**told)
    assert str(refused.value) == refusal


def test_no_secret_is_shown_with_the_settings() -> None:
    settings = KafkaSettings(
        bootstrap="b:1", partition_count=1, security=KafkaSecurity(**BY_PASSWORD)
    )
    assert "hidden-one" not in repr(settings) + str(settings)
    assert "alice" in repr(settings)


def test_without_settings_nothing_is_proven_and_nothing_verified() -> None:
    assert security_options(OPEN) == {"security_protocol": "PLAINTEXT"}


@pytest.mark.parametrize(
    ("content", "reason"), [(b"no certificate\n", "no certificate in PEM form"), (None, "No such")]
)
def test_an_authority_that_is_none_is_named(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadSecurity, match=rf"REFUNDS_KAFKA_CA_FILE {path}: {reason}"):
        security_options(KafkaSecurity(protocol=Protocol.SSL, ca_file=path))


def test_a_certificate_without_its_key_is_named(tmp_path: Path) -> None:
    made = authority(tmp_path)
    bad = KafkaSecurity(protocol=Protocol.SSL, certificate_file=made.certificate)
    with pytest.raises(BadSecurity, match=rf"REFUNDS_KAFKA_CERTIFICATE_FILE {made.certificate} "):
        security_options(bad)


@pytest.mark.parametrize("password", [None, SecretStr("another")])
def test_a_key_that_the_password_does_not_open_is_named(
    tmp_path: Path, password: SecretStr | None
) -> None:
    locked = tmp_path / "locked.pem"
    issue(authority(tmp_path), locked, "client", key_password=b"the-right-one")
    bad = KafkaSecurity(protocol=Protocol.SSL, certificate_file=locked, key_password=password)
    with pytest.raises(BadSecurity, match=rf"the key in {locked} cannot be used"):
        security_options(bad)
