"""The environment and a .properties file say how the brokers are spoken to."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from console.running.kafka_access import kafka_security
from console.running.kafka_properties import read_properties
from console.running.ledger_locator import find_ledger
from console.running.settings import read_settings
from console.terminal.errors import BadInput
from devstack.certificates import authority, issue, write_secret
from ledger.log.kafka.client.security import OPEN, KafkaSecurity, Mechanism, Protocol

CONFLUENT = r"""
# as a managed cluster hands it out
security.protocol = SASL_SSL
sasl.mechanism: PLAIN
sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
    username='alice' \
    password="s3cret \\"quoted\\"; =";
"""
LIBRDKAFKA = """
security.protocol=sasl_ssl
sasl.mechanisms=SCRAM-SHA-256
sasl.username=alice
sasl.password=s3cret
enable.ssl.certificate.verification=true
"""


def properties(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "client.properties"
    write_secret(path, text.encode())
    path.chmod(mode)
    return path


def told(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"REFUNDS_KAFKA_{name}", str(value))


def test_without_a_word_nothing_is_proven() -> None:
    assert kafka_security() == OPEN


def test_the_environment_sets_each(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made, client = authority(tmp_path), tmp_path / "client.pem"
    issue(made, client, "client", key_password=b"opens")
    for name, secret in (("password", b"s3cret\n"), ("key-password", b"opens\n")):
        write_secret(tmp_path / name, secret)
    told(
        monkeypatch,
        SECURITY="SASL_SSL",
        SASL_MECHANISM="SCRAM-SHA-512",
        USER="alice",
        PASSWORD_FILE=tmp_path / "password",
        CA_FILE=made.certificate,
        CERTIFICATE_FILE=client,
        KEY_FILE=client,
        KEY_PASSWORD_FILE=tmp_path / "key-password",
        CHECK_HOSTNAME="true",
    )
    assert kafka_security() == KafkaSecurity(
        protocol=Protocol.SASL_SSL,
        mechanism=Mechanism.SCRAM_SHA_512,
        user="alice",
        password=SecretStr("s3cret"),
        ca_file=made.certificate,
        certificate_file=client,
        key_file=client,
        key_password=SecretStr("opens"),
    )


def test_javas_names_are_taken(tmp_path: Path) -> None:
    assert read_properties(properties(tmp_path, CONFLUENT)) == {
        "protocol": "SASL_SSL",
        "mechanism": "PLAIN",
        "user": "alice",
        "password": SecretStr('s3cret "quoted"; ='),
    }


def test_librdkafkas_names_are_taken(tmp_path: Path) -> None:
    assert read_properties(properties(tmp_path, LIBRDKAFKA)) == {
        "protocol": "SASL_SSL",
        "mechanism": "SCRAM-SHA-256",
        "user": "alice",
        "password": SecretStr("s3cret"),
    }


def test_stores_of_type_pem_are_taken(tmp_path: Path) -> None:
    text = (
        "ssl.truststore.type=PEM\nssl.truststore.location=/t.pem\nssl.keystore.type=pem\n"
        "ssl.keystore.location=/k.pem\nssl.key.password=opens\n"
        "ssl.endpoint.identification.algorithm=\n"
    )
    assert read_properties(properties(tmp_path, text)) == {
        "ca_file": Path("/t.pem"),
        "certificate_file": Path("/k.pem"),
        "key_password": SecretStr("opens"),
        "check_hostname": False,
    }


def test_a_token_from_a_file_url_is_taken(tmp_path: Path) -> None:
    text = (
        "sasl.mechanism=OAUTHBEARER\nsasl.oauthbearer.token.endpoint.url=file:///run/token\n"
        "sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule "
        "required;\nsasl.login.callback.handler.class=x.OAuthBearerLoginCallbackHandler\n"
    )
    found = read_properties(properties(tmp_path, text))
    assert found == {"mechanism": "OAUTHBEARER", "token_file": Path("/run/token")}


REFUSED = [
    ("security.protocol=TLS", "security.protocol is 'TLS'; set it to one of PLAINTEXT, SSL"),
    ("sasl.mechanism=GSSAPI", "sasl.mechanism is 'GSSAPI'; set it to one of PLAIN, SCRAM"),
    ("ssl.truststore.location=/t.jks", "ssl.truststore.type is not PEM; write the store as PEM"),
    ("ssl.keystore.password=s3cret", "ssl.keystore.password is not known here; remove it"),
    ("sasl.kerberos.service.name=k", "sasl.kerberos.service.name is not known here; remove it"),
    (
        "enable.ssl.certificate.verification=false",
        "enable.ssl.certificate.verification may not be switched off; set ssl.ca.location",
    ),
    (
        "sasl.oauthbearer.token.endpoint.url=https://idp/token",
        "sasl.oauthbearer.token.endpoint.url is not asked here; have the token written to a file",
    ),
    (
        "sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required p='s3cret';",
        "sasl.jaas.config names 'com.sun.security.auth.module.Krb5LoginModule'",
    ),
    ("sasl.jaas.config=s3cret", "sasl.jaas.config names no login module; Plain-, Scram- and"),
    ("ssl.endpoint.identification.algorithm=x", "is 'x'; set it to https"),
]


@pytest.mark.parametrize(("line", "why"), REFUSED)
def test_what_is_about_security_and_not_known_is_refused(
    tmp_path: Path, line: str, why: str
) -> None:
    path = properties(tmp_path, f"{line}\n")
    with pytest.raises(BadInput, match=f"REFUNDS_KAFKA_PROPERTIES {path}: .*") as refused:
        read_properties(path)
    assert why in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_what_is_not_about_security_is_left_alone_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = properties(tmp_path, "bootstrap.servers=b:9092\nacks=all\nsecurity.protocol=SSL\n")
    with caplog.at_level(logging.WARNING):
        assert read_properties(path) == {"protocol": "SSL"}
    assert caplog.messages == [
        f"REFUNDS_KAFKA_PROPERTIES {path}: acks, bootstrap.servers not about security, and left "
        "alone"
    ]


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = properties(tmp_path, LIBRDKAFKA, mode=0o644)
    with pytest.raises(BadInput, match="its mode 0644 lets others read or change it"):
        read_properties(path)


def test_the_environment_goes_before_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told(monkeypatch, PROPERTIES=properties(tmp_path, LIBRDKAFKA), USER="bob", PASSWORD="other")
    found = kafka_security()
    assert (found.user, found.password) == ("bob", SecretStr("other"))
    assert found.mechanism is Mechanism.SCRAM_SHA_256


def test_a_key_that_others_may_read_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    issue(authority(tmp_path), tmp_path / "client.pem", "client")
    (tmp_path / "client.pem").chmod(0o644)
    told(monkeypatch, SECURITY="SSL", CERTIFICATE_FILE=tmp_path / "client.pem")
    with pytest.raises(BadInput, match="its mode 0644 lets others read or change it"):
        kafka_security()


def test_a_check_that_is_off_is_never_off_in_silence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told(monkeypatch, SECURITY="SSL", CHECK_HOSTNAME="false")
    with caplog.at_level(logging.WARNING):
        assert not kafka_security().check_hostname
    assert caplog.messages == ["whether a broker's certificate is for its host name is not checked"]


def test_what_does_not_go_together_is_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, SECURITY="SASL_SSL", SASL_MECHANISM="PLAIN", USER="alice")
    with pytest.raises(BadInput, match="REFUNDS_KAFKA_PASSWORD is not set; set it or"):
        kafka_security()


def test_security_for_brokers_that_are_not_used_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("KAFKA_BOOTSTRAP", raising=False)
    monkeypatch.setenv("REFUNDS_HOME", str(tmp_path))
    told(monkeypatch, SECURITY="SSL")
    with pytest.raises(BadInput, match="REFUNDS_KAFKA_SECURITY set, but KAFKA_BOOTSTRAP is not"):
        find_ledger(read_settings())
