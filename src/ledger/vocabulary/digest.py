"""The content digest of a command: it distinguishes a redelivery from a reused command id."""

from __future__ import annotations

from hashlib import sha256

from msgspec import json

from ledger.vocabulary.envelope import GivenCommand

_CANONICAL = json.Encoder(order="deterministic")


def command_digest(command: GivenCommand) -> bytes:
    """SHA-256 over the canonical JSON of the command's name, actor and body.

    Fields with their default value are left out, so that a field that is added later with a default
    does not change the digests of older commands.
    """
    return sha256(digested(command)).digest()


def digested(command: GivenCommand) -> bytes:
    """The canonical JSON over which a command's digest is."""
    return _CANONICAL.encode([command.name, command.meta.actor, command.body])
