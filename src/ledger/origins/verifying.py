"""Verifying: whether a command was signed by an origin that may give it."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from msgspec import Struct

from ledger.origins.history import OriginHistory
from ledger.origins.signing import (
    ORIGIN,
    SIGNATURE,
    beginning,
    hmac_sha256,
    proof_of,
    signed_bytes,
)
from ledger.origins.table import EVERY, Algorithm, Key, Mode, Origin, OriginTable
from ledger.values.instants import Instant, format_instant
from ledger.vocabulary.commands import COMMANDS
from ledger.vocabulary.envelope import GivenCommand
from ledger.vocabulary.shapes import Role

Secrets = Mapping[tuple[str, str], bytes]
"""The secrets of hmac-sha256, by origin and key id."""
_Holds = Callable[[bytes, bytes], bool]
"""Whether a signature is one of these bytes."""


class KeptOrigins(Struct, frozen=True, kw_only=True):
    """What an audit verifies by: every version of the table, and the secrets that are known."""

    history: OriginHistory = OriginHistory()
    secrets: dict[tuple[str, str], bytes] = {}


class Doubt(StrEnum):
    """Why the origin of a command is not proven."""

    NOT_SIGNED = "NOT_SIGNED"
    UNKNOWN_ORIGIN = "UNKNOWN_ORIGIN"
    KEY_NOT_VALID = "KEY_NOT_VALID"
    WRONG_SIGNATURE = "WRONG_SIGNATURE"
    NOT_ALLOWED = "NOT_ALLOWED"


class Proven(Struct, frozen=True, kw_only=True):
    """Who gave a command, and by which key that is proven; both empty if it is not."""

    origin: str = ""
    key_id: str = ""


class Unproven(Struct, frozen=True, kw_only=True):
    """The doubt about a command, in words."""

    doubt: Doubt
    detail: str


class _Known(Struct, frozen=True, kw_only=True):
    """A key, ready to verify with; what its origin may do is worked out once, for speed."""

    origin: Origin
    key: Key
    proven: Proven
    start: bytes
    holds: _Holds
    may_give: frozenset[tuple[str, Role]]
    every_account: bool


class Verifier:
    """Verifies commands of one ledger by one version of its table.

    ValueError if a secret of the table is missing, or is not the one that was added.
    """

    def __init__(
        self,
        history: OriginHistory,
        secrets: Secrets,
        ledger_id: str,
        version: str | None = None,
    ) -> None:
        found = history.newest if version is None else history.version(version)
        if found is None:
            raise ValueError(f"the origins have no version {version!r}")
        self.table: OriginTable = found
        self.history = history
        self._known = {
            f"{origin.name}/{key.key_id}".encode(): _known(origin, key, secrets, ledger_id)
            for origin in found.origins.values()
            for key in origin.keys.values()
        }

    @property
    def mode(self) -> Mode:
        """What happens to commands that are not proven."""
        return self.table.mode

    def check(
        self,
        given: GivenCommand,
        value: bytes,
        headers: Iterable[tuple[str, bytes]],
        appended_at: Instant,
    ) -> Proven | Unproven:
        """Who gave a command that the log took at an instant, with its value as it is there."""
        name, signature = _signature(headers)
        if not name or not signature:
            return _unproven(Doubt.NOT_SIGNED, f"it needs one header {ORIGIN} and one {SIGNATURE}")
        found = self._known.get(name)
        if found is None:
            told = name[:200].decode(errors="backslashreplace")
            return _unproven(Doubt.UNKNOWN_ORIGIN, f"no origin and key {told!r} are in the table")
        if not found.key.valid_at(appended_at):
            return _unproven(Doubt.KEY_NOT_VALID, _told(found, appended_at))
        meta = given.meta
        text = signed_bytes(found.start, meta.account_id, meta.command_id, value)
        if not found.holds(text, signature):
            return _unproven(
                Doubt.WRONG_SIGNATURE,
                f"not the signature of {name.decode()} under this ledger, key, id and value",
            )
        role = meta.actor.role
        if (given.name, role) not in found.may_give:
            told = f"origin {found.origin.name} may not give {given.name} as {role}"
            return _unproven(Doubt.NOT_ALLOWED, told)
        if not found.every_account and not found.origin.may_use(meta.account_id):
            told = f"origin {found.origin.name} may not use account {meta.account_id}"
            return _unproven(Doubt.NOT_ALLOWED, told)
        return found.proven


def _signature(headers: Iterable[tuple[str, bytes]]) -> tuple[bytes, bytes]:
    """Origin and signature; empty if one of them is not there exactly once."""
    name = signature = b""
    names = signatures = 0
    for header, value in headers:
        if header == ORIGIN:
            name, names = value, names + 1
        elif header == SIGNATURE:
            signature, signatures = value, signatures + 1
    return (name, signature) if names == signatures == 1 else (b"", b"")


def _known(origin: Origin, key: Key, secrets: Secrets, ledger_id: str) -> _Known:
    return _Known(
        origin=origin,
        key=key,
        proven=Proven(origin=origin.name, key_id=key.key_id),
        start=beginning(ledger_id, origin.name, key.key_id),
        holds=_by_secret(origin, key, secrets)
        if key.algorithm is Algorithm.HMAC_SHA256
        else _by_public_key(key),
        may_give=frozenset(
            (name, role) for name in COMMANDS for role in Role if origin.may_give(name, role)
        ),
        every_account=EVERY in origin.accounts,
    )


def _by_secret(origin: Origin, key: Key, secrets: Secrets) -> _Holds:
    secret = secrets.get((origin.name, key.key_id))
    if secret is None:
        raise ValueError(f"the secret of key {origin.name}/{key.key_id} is missing")
    if not hmac.compare_digest(proof_of(key.algorithm, secret), key.proof):
        raise ValueError(f"the secret of key {origin.name}/{key.key_id} is another one")

    sign = hmac_sha256(secret)

    def holds(text: bytes, signature: bytes) -> bool:
        return hmac.compare_digest(sign(text).hex().encode(), signature)

    return holds


def _by_public_key(key: Key) -> _Holds:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    public = Ed25519PublicKey.from_public_bytes(key.proof)

    def holds(text: bytes, signature: bytes) -> bool:
        try:
            public.verify(bytes.fromhex(signature.decode()), text)
        except (InvalidSignature, ValueError):
            return False
        return True

    return holds


def _told(found: _Known, at: Instant) -> str:
    key, until = found.key, found.key.valid_until
    end = "" if until is None else f" until before {format_instant(until)}"
    name = f"{found.origin.name}/{key.key_id}"
    since = format_instant(key.valid_from)
    return f"key {name} is valid from {since}{end}; the log took this at {format_instant(at)}"


def _unproven(doubt: Doubt, detail: str) -> Unproven:
    return Unproven(doubt=doubt, detail=detail)
