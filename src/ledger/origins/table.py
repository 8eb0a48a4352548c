"""The table of origins: each with its keys, and the commands, roles and accounts it may use."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from ledger.values.instants import Instant
from ledger.vocabulary.shapes import Role

OWN = "ledger"
"""The ledger's own origin: reactions and deadlines. It alone may give commands as SYSTEM."""
EVERY = "*"
"""Every command, or every account; behind other letters, every account that begins with them."""


class Mode(StrEnum):
    """What happens to a command whose origin is not proven: nothing, a warning, a dead letter."""

    OPEN = "open"
    WARN = "warn"
    REQUIRED = "required"


class Algorithm(StrEnum):
    """How an origin signs: with a secret that the ledger knows too, or with a key of its own."""

    HMAC_SHA256 = "hmac-sha256"
    ED25519 = "ed25519"


class Key(Struct, frozen=True, kw_only=True):
    """One key of an origin, valid from an instant until before another.

    `proof` is the public key of ed25519; of a secret it is only what recognises it, so that the
    table has no secret in it.
    """

    key_id: str
    algorithm: Algorithm
    proof: bytes
    valid_from: Instant
    valid_until: Instant | None = None

    def valid_at(self, instant: Instant) -> bool:
        """Whether a command that the log took at this instant may be signed with it."""
        return self.valid_from <= instant and (
            self.valid_until is None or instant < self.valid_until
        )


class Origin(Struct, frozen=True, kw_only=True):
    """Who gives commands. `commands` and `accounts` may be `*`, an account may end with one."""

    name: str
    roles: frozenset[Role]
    commands: frozenset[str]
    accounts: frozenset[str]
    keys: dict[str, Key] = {}

    def may_give(self, command: str, role: Role) -> bool:
        """Whether it may give this command in this role."""
        return role in self.roles and (EVERY in self.commands or command in self.commands)

    def may_use(self, account_id: str) -> bool:
        """Whether it may give commands for this account."""
        return account_id in self.accounts or any(
            account_id.startswith(each[:-1]) for each in self.accounts if each.endswith(EVERY)
        )


class OriginTable(Struct, frozen=True, kw_only=True):
    """All origins, as one version of the table has them; the first version has none.

    `version` is the count of lines in the table's history and the hash of the last one, as it
    stands in every event that was decided by it.
    """

    version: str = ""
    mode: Mode = Mode.OPEN
    origins: dict[str, Origin] = {}
