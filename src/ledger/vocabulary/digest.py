"""The content digest of a command: what tells a redelivery from another command of the same id."""

from __future__ import annotations

from hashlib import sha256

from msgspec import json

from ledger.vocabulary.envelope import GivenCommand

_CANONICAL = json.Encoder(order="deterministic")


def command_digest(command: GivenCommand) -> bytes:
    """SHA-256 over the canonical JSON of the command's name, actor and body.

    Fields that hold their default are left out, so that a field added later with a default leaves
    the digests of older commands as they were.
    """
    content = [command.name, command.meta.actor, command.body]
    return sha256(_CANONICAL.encode(content)).digest()
