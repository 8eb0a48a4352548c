"""The AsyncAPI 3 document of the three topics, made from the schemas."""

from __future__ import annotations

from typing import Any

import yaml

from ledger.log.kafka.topics import topic_settings
from ledger.log.seam import Topic
from ledger.vocabulary.commands import COMMANDS
from ledger.vocabulary.events import EVENTS
from ledger.vocabulary.words import words
from ledger.wire.avro.schema_files import Family, schema_root, versions_of
from tools.reference.topics import ERRORS, HEADERS, PARTIES, RESOLUTIONS, SIGNED

Document = dict[str, Any]

AVRO = "application/vnd.apache.avro;version=1.9.0"
BINDING = "0.5.0"
CHANNELS = {
    "commands": Topic.COMMANDS,
    "events": Topic.EVENTS,
    "deadLetters": Topic.DEAD_LETTERS,
}
OPTIONAL = "traceparent"
_HEADERS = {Family.COMMANDS: "CommandHeaders", Family.EVENTS: "CloudEventHeaders"}


def asyncapi_document() -> str:
    """docs/reference/asyncapi.yaml."""
    head = "# This file is written by `make docs` from the program itself; do not edit it.\n"
    return head + yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=100)


def document() -> Document:
    """The document as data."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Refund ledger",
            "version": "1",
            "description": "Commands in, events out. A value is an Avro body behind a frame that "
            "names its schema by fingerprint, or by id where there is a schema registry; topics.md "
            "tells the frames.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/avro",
        "channels": {name: _channel(name, topic) for name, topic in CHANNELS.items()},
        "operations": {
            "decideCommands": _operation("receive", "commands", "Every command is decided once."),
            "recordEvents": _operation("send", "events", "What was decided, in one transaction."),
            "followUp": _operation(
                "send", "commands", "Reactions and deadlines give commands too."
            ),
            "followEvents": _operation(
                "receive", "events", "Reactions and read models follow them."
            ),
            "setAside": _operation("send", "deadLetters", "What cannot be read, as it came."),
        },
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def _names(channel: str) -> list[str]:
    return {"commands": [*COMMANDS], "events": [*EVENTS]}.get(channel, ["DeadLetter", "Resolution"])


def _channel(name: str, topic: Topic) -> Document:
    settings = topic_settings(topic, 1)
    writer, reader = PARTIES[topic]
    return {
        "address": topic.value,
        "description": f"Written by {writer}; read by {reader}.",
        "messages": {each: {"$ref": f"#/components/messages/{each}"} for each in _names(name)},
        "bindings": {
            "kafka": {
                "topic": topic.value,
                "topicConfiguration": {
                    "cleanup.policy": [settings["cleanup.policy"]],
                    "retention.ms": int(settings["retention.ms"]),
                    "retention.bytes": int(settings["retention.bytes"]),
                    "max.message.bytes": int(settings["max.message.bytes"]),
                },
                "bindingVersion": BINDING,
            }
        },
    }


def _operation(action: str, channel: str, summary: str) -> Document:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/{channel}/messages/{each}"} for each in _names(channel)],
    }


def _messages() -> Document:
    ours = {
        name: _message(family, name)
        for family, names in ((Family.COMMANDS, COMMANDS), (Family.EVENTS, EVENTS))
        for name in names
    }
    letter = {
        "name": "DeadLetter",
        "summary": "A record that is no command of ours, with Kafka Connect's error headers.",
        "headers": {"$ref": "#/components/schemas/ErrorHeaders"},
        "bindings": _keyed(),
    }
    resolution = {
        "name": "Resolution",
        "summary": "What a person did about a dead letter, in its headers; it has no value.",
        "headers": {"$ref": "#/components/schemas/ResolutionHeaders"},
        "bindings": _keyed(),
    }
    return {**ours, "DeadLetter": letter, "Resolution": resolution}


def _message(family: Family, name: str) -> Document:
    newest = max(versions_of(schema_root(), family, name))
    return {
        "name": f"refunds.{family}.{name}",
        "title": name,
        "summary": words()[family][name],
        "contentType": "application/avro",
        "headers": {"$ref": f"#/components/schemas/{_HEADERS[family]}"},
        "payload": {
            "schemaFormat": AVRO,
            "schema": {"$ref": f"../../schemas/{family}/{name}/{newest}.avsc"},
        },
        "bindings": _keyed(),
    }


def _keyed() -> Document:
    key = {"type": "string", "description": "The account id; LedgerOpened alone has none."}
    return {"kafka": {"key": key, "bindingVersion": BINDING}}


def _schemas() -> Document:
    cloud = {name: {"type": "string", "description": said} for name, said in HEADERS.items()}
    signed = {name: {"type": "string", "description": said} for name, said in SIGNED.items()}
    errors = {name: {"type": "string", "description": said} for name, said in ERRORS.items()}
    closes = {name: {"type": "string", "description": said} for name, said in RESOLUTIONS.items()}
    required = [name for name in cloud if name != OPTIONAL]
    return {
        "CloudEventHeaders": {"type": "object", "required": required, "properties": cloud},
        "CommandHeaders": {
            "type": "object",
            "required": required,
            "properties": {**cloud, **signed},
        },
        "ErrorHeaders": {"type": "object", "required": [*errors], "properties": errors},
        "ResolutionHeaders": {"type": "object", "required": [*closes], "properties": closes},
    }
