"""Every cell of the access matrix is tried on a real broker, allowed and forbidden."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
)
from pydantic import SecretStr

from consumers.dead_letters.redrive import WRITER
from consumers.deciding.decider import GROUP as DECIDER
from consumers.reacting.reactor import GROUP as REACTIONS
from ledger.log.access import BROKER_KINDS, Right, read_matrix
from ledger.log.kafka import KafkaSettings, create_topics
from ledger.log.kafka.access import differences, grant
from ledger.log.kafka.client.security import KafkaSecurity, Mechanism, Protocol
from ledger.log.kafka.client.settings import admin_options
from ledger.log.kafka.writing.hanging_transactions import HangingTransactions
from ledger.log.seam import LogUnavailable, Topic
from tests.secured.broker import PASSWORD, PRINCIPALS, SecuredBroker
from tests.secured.cells import ATTEMPTS, allowed

MATRIX = read_matrix()
PREFIX = "matrix."
FOREIGN = Right(principal="*", kind="topic", name="refunds.events.v1", operation="WRITE")


def as_super_user(broker: SecuredBroker) -> KafkaSettings:
    return KafkaSettings(bootstrap=broker.at("open"), partition_count=1, prefix=PREFIX)


@pytest.fixture(scope="module")
def granted(broker: SecuredBroker) -> SecuredBroker:
    create_topics(as_super_user(broker))
    grant(as_super_user(broker), MATRIX)
    return broker


@contextmanager
def connected_as(broker: SecuredBroker, principal: str) -> Iterator[Any]:
    security = KafkaSecurity(
        protocol=Protocol.SASL_SSL,
        mechanism=Mechanism.SCRAM_SHA_512,
        user=principal,
        password=SecretStr(PASSWORD),
        ca_file=broker.ca,
    )
    settings = KafkaSettings(bootstrap=broker.at("PASSWORD"), partition_count=1, security=security)
    admin = KafkaAdminClient(**admin_options(settings))
    try:
        yield admin
    finally:
        admin.close()


def cells() -> list[tuple[str, str, str]]:
    """Kind, name and operation: every operation that there is on every thing."""
    return [
        (kind, name, operation)
        for kind, name in MATRIX.things
        for of_kind, operation in ATTEMPTS
        if of_kind == kind
    ]


def wrong_cells(broker: SecuredBroker, principal: str) -> list[str]:
    """The cells of a principal in which the broker does another thing than the matrix says."""
    wrong = []
    with connected_as(broker, principal) as admin:
        for kind, name, operation in cells():
            right = Right(principal=principal, kind=kind, name=name, operation=operation)
            shared = name.startswith("__") or kind == "cluster"
            full = name if shared else PREFIX + name.replace("*", "0")
            if allowed(admin, kind, operation, full) is not (right in MATRIX.rights):
                wrong.append(f"{'not ' if right in MATRIX.rights else ''}allowed: {right}")
    return wrong


def test_the_matrix_names_things_and_operations_that_there_are() -> None:
    names = {name for _, name in MATRIX.things}
    assert {topic.value for topic in Topic} < names
    assert {DECIDER, REACTIONS, WRITER, f"{DECIDER}-*", f"{REACTIONS}-*"} < names
    assert set(MATRIX.at_brokers) == set(PRINCIPALS)
    named = {right.principal for right in MATRIX.rights if right.kind != "route"}
    assert named <= set(MATRIX.principals)
    tried = {right for right in MATRIX.rights if right.kind in BROKER_KINDS}
    assert {(right.kind, right.operation) for right in tried} <= set(ATTEMPTS)
    assert len(PRINCIPALS) * len(cells()) >= 300


def test_only_the_decider_writes_events_and_only_four_write_commands() -> None:
    writers = {
        topic: {r.principal for r in MATRIX.rights if (r.name, r.operation) == (topic, "WRITE")}
        for topic in (Topic.EVENTS.value, Topic.COMMANDS.value, f"{DECIDER}-*")
    }
    assert writers == {
        Topic.EVENTS.value: {"decider"},
        Topic.COMMANDS.value: {"gateway", "reactions", "operator", "console"},
        f"{DECIDER}-*": {"decider"},
    }
    destroyers = {
        r.principal for r in MATRIX.rights if (r.kind, r.operation) == ("topic", "DELETE")
    }
    assert destroyers == {"operator"}


@pytest.mark.integration
@pytest.mark.parametrize("principal", PRINCIPALS)
def test_every_cell_of_a_principal_is_as_the_matrix_says(
    granted: SecuredBroker, principal: str
) -> None:
    assert wrong_cells(granted, principal) == []


@pytest.mark.integration
def test_who_may_not_read_how_a_transaction_was_decided_is_told_who_may(
    granted: SecuredBroker,
) -> None:
    with connected_as(granted, "console") as admin:
        hanging = HangingTransactions(as_super_user(granted), admin)
        with pytest.raises(LogUnavailable, match=r"__transaction_state: Topic.*as the operator"):
            hanging._described(["__transaction_state"])


@pytest.mark.integration
def test_a_wrong_acl_is_found_tried_and_removed(granted: SecuredBroker) -> None:
    settings = as_super_user(granted)
    assert not any((differences(settings, MATRIX).missing, differences(settings, MATRIX).surplus))
    plant(settings, FOREIGN)
    assert differences(settings, MATRIX).surplus == (FOREIGN,)
    assert wrong_cells(granted, "auditor") == ["allowed: auditor may WRITE topic refunds.events.v1"]
    assert grant(settings, MATRIX).surplus == (FOREIGN,)
    assert wrong_cells(granted, "auditor") == []


def plant(settings: KafkaSettings, right: Right) -> None:
    pattern = ResourcePattern(
        ResourceType.TOPIC, settings.prefix + right.name, ACLResourcePatternType.LITERAL
    )
    acl = ACL(
        f"User:{right.principal}",
        "*",
        ACLOperation[right.operation],
        ACLPermissionType.ALLOW,
        pattern,
    )
    admin = KafkaAdminClient(**admin_options(settings))
    try:
        assert admin.create_acls([acl])["failed"] == []
    finally:
        admin.close()
