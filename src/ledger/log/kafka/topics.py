"""The three topics: creates them, and refuses topics with other settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from kafka import KafkaAdminClient, errors
from kafka.admin import ConfigResource, ConfigResourceType

from ledger.log.kafka.client.connection import ask, open_client
from ledger.log.kafka.client.settings import KafkaSettings, admin_options, max_message_bytes
from ledger.log.seam import LogUnavailable, Topic, WrongWorld

COMPRESSION = "compression.type"
_ALREADY_THERE = (errors.NoError.errno, errors.TopicAlreadyExistsError.errno)


def create_topics(settings: KafkaSettings, replication_factor: int = 1) -> dict[Topic, UUID]:
    """Create the missing topics, then verify all; returns their ids.

    Raises LogUnavailable, and WrongWorld if an existing topic has wrong settings.
    """
    admin: Any = open_client(KafkaAdminClient, settings, admin_options(settings))
    try:
        wanted = {
            settings.topic_name(topic): {
                "num_partitions": settings.partition_count,
                "replication_factor": replication_factor,
                "configs": topic_settings(topic, replication_factor),
            }
            for topic in Topic
        }
        made = ask(
            settings, "creating topics", lambda: admin.create_topics(wanted, raise_errors=False)
        )
        for each in made["topics"]:
            if each["error_code"] not in _ALREADY_THERE:
                reason = each.get("error_message") or errors.for_code(each["error_code"]).__name__
                raise LogUnavailable(f"creating topic {each['name']}: {reason}")
        ask(settings, "waiting for topics", lambda: admin.wait_for_topics(list(wanted)))
        _unpack_commands(settings, admin)
        return _verify(settings, admin, {})
    finally:
        admin.close()


def _unpack_commands(settings: KafkaSettings, admin: Any) -> None:
    """Add the setting to a ledger of an earlier version; its records do not change."""
    name = settings.topic_name(Topic.COMMANDS)
    wanted = topic_settings(Topic.COMMANDS, 1)[COMPRESSION]
    if _settings_found(settings, admin, [name])[name][COMPRESSION]["value"] != wanted:
        resource = ConfigResource(ConfigResourceType.TOPIC, name, {COMPRESSION: wanted})
        ask(settings, f"setting {COMPRESSION}", lambda: admin.alter_configs([resource]))


def verify_world(
    settings: KafkaSettings, topic_ids: Mapping[Topic, UUID] | None = None
) -> dict[Topic, UUID]:
    """The topic ids, if every topic exists and has the right settings; otherwise WrongWorld.

    `topic_ids` are the ids in `LedgerOpened`: a topic that was deleted and created again with the
    same name has another id.
    """
    admin: Any = open_client(KafkaAdminClient, settings, admin_options(settings))
    try:
        return _verify(settings, admin, topic_ids or {})
    finally:
        admin.close()


def topic_settings(topic: Topic, replication_factor: int) -> dict[str, str]:
    """The required settings of every topic: no record is deleted, and no write is lost unnoticed.

    The broker decompresses commands, so that the size limit applies to the decompressed record: one
    that is too large to be copied to the dead letters would stop its partition.
    """
    return {
        "cleanup.policy": "delete",
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": str(max(1, replication_factor - 1)),
        "unclean.leader.election.enable": "false",
        COMPRESSION: "uncompressed" if topic is Topic.COMMANDS else "producer",
        "max.message.bytes": str(max_message_bytes(topic)),
    }


def _verify(
    settings: KafkaSettings, admin: Any, topic_ids: Mapping[Topic, UUID]
) -> dict[Topic, UUID]:
    names = [settings.topic_name(topic) for topic in Topic]
    described = ask(settings, "describing topics", lambda: admin.describe_topics(names))
    shapes = {each["name"]: each for each in described if each["error_code"] == 0}
    missing = [name for name in names if name not in shapes]
    if missing:
        raise WrongWorld(
            f"{settings.bootstrap} has no topic {', '.join(missing)}; create it with 'refundctl up'"
        )
    found = _settings_found(settings, admin, names)
    problems = [
        problem
        for topic in Topic
        for problem in _problems(settings, topic, shapes, found, topic_ids.get(topic))
    ]
    if problems:
        raise WrongWorld("; ".join(problems))
    return {topic: _id(shapes[settings.topic_name(topic)]) for topic in Topic}


def _settings_found(settings: KafkaSettings, admin: Any, names: list[str]) -> dict[str, Any]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found: dict[str, Any] = ask(
        settings,
        "describing topic settings",
        lambda: admin.describe_configs(resources, config_filter="all")["topic"],
    )
    hidden = [name for name in names if not found.get(name)]
    if hidden:
        raise LogUnavailable(
            f"{settings.bootstrap} does not show the settings of topic {', '.join(hidden)}; grant "
            "this principal DESCRIBE_CONFIGS on it"
        )
    return found


def _problems(
    settings: KafkaSettings,
    topic: Topic,
    shapes: dict[str, Any],
    found: dict[str, Any],
    topic_id: UUID | None,
) -> list[str]:
    name = settings.topic_name(topic)
    shape = shapes[name]
    replication_factor = len(shape["partitions"][0]["replica_nodes"])
    expected: dict[str, Any] = {"partitions": settings.partition_count}
    actual: dict[str, Any] = {"partitions": len(shape["partitions"])}
    if topic_id is not None:
        expected["topic id"], actual["topic id"] = topic_id, _id(shape)
    for key, value in topic_settings(topic, replication_factor).items():
        if key != "max.message.bytes":
            expected[key], actual[key] = value, found[name][key]["value"]
    return [
        f"topic {name}: {key} is {actual[key]}, must be {value}"
        for key, value in expected.items()
        if actual[key] != value
    ]


def _id(shape: Any) -> UUID:
    found = shape["topic_id"]
    return found if isinstance(found, UUID) else UUID(found)
