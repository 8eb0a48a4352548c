"""Tables of origins for tests: the ledger's own, upstream billing, and who else a test adds."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.origins.history import (
    Change,
    KeyAdded,
    KeyEnds,
    ModeSet,
    OriginHistory,
    OriginSet,
    next_line,
    read_history,
)
from ledger.origins.signing import Signer, proof_of, sign_of
from ledger.origins.table import OWN, Algorithm, Mode
from ledger.values.instants import Instant, format_instant
from ledger.vocabulary.shapes import Role

HMAC, ED25519 = Algorithm.HMAC_SHA256, Algorithm.ED25519
LEDGER_ID = "id of refunds.commands.v1"
EVERYBODY = tuple(role for role in Role if role is not Role.SYSTEM)


def secret_of(origin: str, key_id: str) -> bytes:
    """Secrets that differ; these are no secrets."""
    return f"{origin} {key_id}".encode().ljust(32, b".")[:32]


def origin(
    name: str,
    *roles: Role,
    commands: Sequence[str] = ("*",),
    accounts: Sequence[str] = ("*",),
) -> OriginSet:
    return OriginSet(
        name=name, roles=roles or EVERYBODY, commands=tuple(commands), accounts=tuple(accounts)
    )


def key(
    name: str,
    key_id: str = "k1",
    algorithm: Algorithm = HMAC,
    *,
    since: Instant = 0,
    until: Instant | None = None,
) -> KeyAdded:
    return KeyAdded(
        origin=name,
        key_id=key_id,
        algorithm=algorithm,
        proof=proof_of(algorithm, secret_of(name, key_id)).hex(),
        valid_from=format_instant(since),
        valid_until=None if until is None else format_instant(until),
    )


def ended(name: str, key_id: str, until: Instant) -> KeyEnds:
    return KeyEnds(origin=name, key_id=key_id, valid_until=format_instant(until))


def text_of(*changes: Change) -> str:
    """The file with these changes."""
    text = ""
    for change in changes:
        text += next_line(read_history(text), change, at=0, by="a test")
    return text


def history_of(*changes: Change) -> OriginHistory:
    return read_history(text_of(*changes))


REQUIRED = (
    origin(OWN, Role.SYSTEM),
    key(OWN),
    origin("billing"),
    key("billing"),
    ModeSet(mode=Mode.REQUIRED),
)
"""Commands of `billing` and of the ledger's own origin are taken, and no others."""


def secrets_of(history: OriginHistory) -> dict[tuple[str, str], bytes]:
    """The secret of every hmac-sha256 key."""
    return {
        (each.name, found.key_id): secret_of(each.name, found.key_id)
        for each in history.newest.origins.values()
        for found in each.keys.values()
        if found.algorithm is HMAC
    }


def signer(
    name: str = "billing",
    key_id: str = "k1",
    algorithm: Algorithm = HMAC,
    ledger_id: str = LEDGER_ID,
) -> Signer:
    sign = sign_of(algorithm, secret_of(name, key_id))
    return Signer(origin=name, key_id=key_id, ledger_id=ledger_id, sign=sign)
