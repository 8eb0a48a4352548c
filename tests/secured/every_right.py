"""Gives the tests' own user every right at a broker: run by a secured stack's administrator."""

from __future__ import annotations

import os

from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
)

from console.running.kafka_access import kafka_security
from ledger.log.kafka import KafkaSettings
from ledger.log.kafka.client.settings import admin_options
from tests.services import TESTER
from tools.program import arguments

KINDS = {"TOPIC": "*", "GROUP": "*", "TRANSACTIONAL_ID": "*", "CLUSTER": "kafka-cluster"}


def main() -> None:
    """Once, before any test."""
    settings = KafkaSettings(
        bootstrap=os.environ["KAFKA_BOOTSTRAP"], partition_count=1, security=kafka_security()
    )
    admin = KafkaAdminClient(**admin_options(settings))
    try:
        made = admin.create_acls([_everything(kind, name) for kind, name in KINDS.items()])
    finally:
        admin.close()
    assert not made["failed"], made


def _everything(kind: str, name: str) -> ACL:
    pattern = ResourcePattern(ResourceType[kind], name, ACLResourcePatternType.LITERAL)
    return ACL(f"User:{TESTER}", "*", ACLOperation.ALL, ACLPermissionType.ALLOW, pattern)


if __name__ == "__main__":
    arguments(__doc__)
    main()
