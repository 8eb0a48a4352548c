"""Every way of being accepted is tried on a real broker, and every refusal says what to do."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace
from pydantic import SecretStr

from ledger.log.kafka import KafkaLog, KafkaSettings, KafkaTools, create_topics
from ledger.log.kafka.client.security import OPEN, KafkaSecurity, Mechanism, Protocol
from ledger.log.seam import CommitResult, LogUnavailable, Topic
from tests.ledger.log.worlds import command, commit, event
from tests.secured.broker import (
    KEY_PASSWORD,
    LISTENERS,
    PASSWORD,
    PATIENCE_SECONDS,
    USER,
    SecuredBroker,
)

pytestmark = pytest.mark.integration

PASSWORDS = (Mechanism.PLAIN, Mechanism.SCRAM_SHA_256, Mechanism.SCRAM_SHA_512)


def by_password(
    broker: SecuredBroker, mechanism: Mechanism, password: str = PASSWORD, *, clear: bool = False
) -> KafkaSecurity:
    return KafkaSecurity(
        protocol=Protocol.SASL_PLAINTEXT if clear else Protocol.SASL_SSL,
        mechanism=mechanism,
        user=USER,
        password=SecretStr(password),
        ca_file=None if clear else broker.ca,
    )


def by_token(broker: SecuredBroker, name: str = "token") -> KafkaSecurity:
    return KafkaSecurity(
        protocol=Protocol.SASL_SSL,
        mechanism=Mechanism.OAUTHBEARER,
        token_file=broker.file(name),
        ca_file=broker.ca,
    )


def by_tls(broker: SecuredBroker, certificate: str | None = None) -> KafkaSecurity:
    return KafkaSecurity(
        protocol=Protocol.SSL,
        ca_file=broker.ca,
        certificate_file=None if certificate is None else broker.file(certificate),
    )


def settings_at(address: str, security: KafkaSecurity) -> KafkaSettings:
    return KafkaSettings(
        bootstrap=address,
        partition_count=1,
        prefix=f"t{uuid4().hex[:8]}.",
        security=security,
        connect_timeout_seconds=3.0,
    )


def works(settings: KafkaSettings) -> None:
    """Every kind of client of ours: admin, producer, reader, member and transactional writer."""
    create_topics(settings)
    tools = KafkaTools(settings)
    log = KafkaLog(settings, "decider", Topic.COMMANDS, "only")
    try:
        tools.publish([command(b"given")])
        answer_first(log)
        assert [record.value for record in tools.replay(Topic.EVENTS)] == [b"given"]
    finally:
        log.close()
        tools.close()


def answer_first(log: KafkaLog) -> None:
    """Write the first command as an event. A new broker's coordinators change while they load."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if not log.owned(1.0):
            continue
        log.fence(0)
        batch = log.read(Topic.COMMANDS, 0, 0, 1, 5.0)
        answers = [event(record.value or b"") for record in batch.records]
        if answers and commit(log, 0, answers, batch.next_position, "") is CommitResult.OK:
            return
    raise AssertionError("the command was never answered")


def refusal(settings: KafkaSettings) -> str:
    """What one who is refused is told."""
    with pytest.raises(LogUnavailable) as refused:
        create_topics(settings)
    assert PASSWORD not in str(refused.value)
    assert KEY_PASSWORD not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("mechanism", PASSWORDS)
def test_a_user_with_the_password_is_accepted_over_tls(
    broker: SecuredBroker, mechanism: Mechanism
) -> None:
    works(settings_at(broker.at("PASSWORD"), by_password(broker, mechanism)))


@pytest.mark.parametrize("mechanism", PASSWORDS)
def test_a_user_with_the_password_is_accepted_without_tls(
    broker: SecuredBroker, mechanism: Mechanism
) -> None:
    works(settings_at(broker.at("CLEAR"), by_password(broker, mechanism, clear=True)))


def test_a_token_from_a_file_is_accepted(broker: SecuredBroker) -> None:
    works(settings_at(broker.at("PASSWORD"), by_token(broker)))


def test_tls_alone_is_enough_where_nobody_is_asked(broker: SecuredBroker) -> None:
    works(settings_at(broker.at("TLS"), by_tls(broker)))


def test_a_client_is_accepted_by_its_certificate(broker: SecuredBroker) -> None:
    works(settings_at(broker.at("MUTUAL"), by_tls(broker, "client.pem")))


def test_a_key_may_have_a_password(broker: SecuredBroker) -> None:
    locked = by_tls(broker, "locked-client.pem")
    opened = replace(locked, key_password=SecretStr(KEY_PASSWORD))
    works(settings_at(broker.at("MUTUAL"), opened))


@pytest.mark.parametrize("mechanism", PASSWORDS)
def test_a_wrong_password_is_told_with_the_user_and_the_mechanism(
    broker: SecuredBroker, mechanism: Mechanism
) -> None:
    told = refusal(settings_at(broker.at("PASSWORD"), by_password(broker, mechanism, "guessed")))
    assert f"the broker at {broker.at('PASSWORD')} refuses user 'alice' by {mechanism}: " in told
    assert told.endswith("; correct REFUNDS_KAFKA_USER or the password")
    assert "guessed" not in told


def test_a_token_that_has_expired_is_told_with_its_file(broker: SecuredBroker) -> None:
    told = refusal(settings_at(broker.at("PASSWORD"), by_token(broker, "old-token")))
    assert f"refuses the token in {broker.file('old-token')}: " in told
    assert told.endswith("; write a valid one there")


def test_a_mechanism_that_is_not_taken_is_told_with_those_that_are(broker: SecuredBroker) -> None:
    asked = by_password(broker, Mechanism.SCRAM_SHA_256)
    assert refusal(settings_at(broker.at("ONLYPLAIN"), asked)) == (
        f"the broker at {broker.at('ONLYPLAIN')} does not take SCRAM-SHA-256; "
        "set REFUNDS_KAFKA_SASL_MECHANISM to one that it takes: PLAIN"
    )


def test_a_password_where_nobody_is_asked_is_refused(broker: SecuredBroker) -> None:
    asked = by_password(broker, Mechanism.PLAIN)
    assert refusal(settings_at(broker.at("TLS"), asked)) == (
        f"the broker at {broker.at('TLS')} speaks SSL, and REFUNDS_KAFKA_SECURITY is SASL_SSL; "
        "set it to SSL, or name another port in KAFKA_BOOTSTRAP"
    )


@pytest.mark.parametrize("listener", ["CLEAR", "PASSWORD"])
def test_a_client_that_does_not_say_who_it_is_is_told_so(
    broker: SecuredBroker, listener: str
) -> None:
    security = OPEN if listener == "CLEAR" else by_tls(broker)
    spoken = LISTENERS[listener]
    assert refusal(settings_at(broker.at(listener), security)) == (
        f"the broker at {broker.at(listener)} speaks {spoken}, and REFUNDS_KAFKA_SECURITY is "
        f"{security.protocol}; set it to {spoken}, and REFUNDS_KAFKA_SASL_MECHANISM and the "
        "user too, or name another port in KAFKA_BOOTSTRAP"
    )


@pytest.mark.parametrize("listener", ["TLS", "PASSWORD"])
def test_a_client_without_tls_is_told_that_the_broker_speaks_it(
    broker: SecuredBroker, listener: str
) -> None:
    told = refusal(settings_at(broker.at(listener), OPEN))
    spoken = LISTENERS[listener]
    said = f"the broker at {broker.at(listener)} speaks {spoken}, and REFUNDS_KAFKA_SECURITY is "
    assert told.startswith(f"{said}PLAINTEXT; set it to {spoken}")


def test_a_client_with_tls_is_told_that_the_broker_speaks_none(broker: SecuredBroker) -> None:
    assert refusal(settings_at(broker.at("open"), by_tls(broker))) == (
        f"the broker at {broker.at('open')} speaks PLAINTEXT, and REFUNDS_KAFKA_SECURITY is SSL; "
        "set it to PLAINTEXT, or name another port in KAFKA_BOOTSTRAP"
    )


def test_a_broker_whose_certificate_has_expired_is_not_believed(broker: SecuredBroker) -> None:
    told = refusal(settings_at(broker.at("OLD"), by_tls(broker)))
    assert "shows a certificate that is not accepted: certificate has expired; " in told
    assert told.endswith("give the broker a new one (or set this machine's clock)")


def test_a_broker_of_another_name_is_not_believed(broker: SecuredBroker) -> None:
    told = refusal(settings_at(broker.at("STRANGE"), by_tls(broker)))
    assert "IP address mismatch, certificate is not valid for '127.0.0.1'" in told
    assert told.endswith("use the broker's name from its certificate in KAFKA_BOOTSTRAP")
    unchecked = replace(by_tls(broker), check_hostname=False)
    create_topics(settings_at(broker.at("STRANGE"), unchecked))


def test_a_broker_of_another_authority_is_not_believed(broker: SecuredBroker) -> None:
    others = replace(by_tls(broker), ca_file=broker.file("other/ca.pem"))
    told = refusal(settings_at(broker.at("TLS"), others))
    assert "unable to get local issuer certificate; set REFUNDS_KAFKA_CA_FILE to " in told
    assert told.endswith(f"(it is {others.ca_file})")


@pytest.mark.parametrize("certificate", ["expired-client.pem", "others-client.pem", None])
def test_a_client_whose_certificate_is_refused_is_told_which(
    broker: SecuredBroker, certificate: str | None
) -> None:
    told = refusal(settings_at(broker.at("MUTUAL"), by_tls(broker, certificate)))
    shown = broker.file(certificate) if certificate else "a client without a certificate"
    assert str(shown) in told
    assert "; set REFUNDS_KAFKA_CERTIFICATE_FILE and REFUNDS_KAFKA_KEY_FILE to one" in told


def test_one_broker_that_accepts_us_is_enough(
    broker: SecuredBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing = broker.at("OLD")
    always_choose(monkeypatch, refusing)
    works(settings_at(f"{refusing},{broker.at('TLS')}", by_tls(broker)))


def test_a_broker_that_does_not_answer_leaves_time_for_the_others(
    broker: SecuredBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        always_choose(monkeypatch, address)
        create_topics(settings_at(f"{address},{broker.at('TLS')}", by_tls(broker)))
        with pytest.raises(LogUnavailable, match="no Kafka broker answers at"):
            create_topics(settings_at(address, by_tls(broker)))


def always_choose(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Where the client chooses a broker at random, it is this one, if it is among them."""

    def choice(among: Sequence[Any]) -> Any:
        return max(among, key=lambda each: address.endswith(f":{getattr(each, 'port', None)}"))

    monkeypatch.setattr(random, "choice", choice)
