"""The history of the table of origins: lines that are only ever added, each with the hash of the
one before it, so that a version in an event proves all lines up to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import assert_never

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ledger.origins.table import EVERY, OWN, Algorithm, Key, Mode, Origin, OriginTable
from ledger.values.instants import format_instant, parse_instant
from ledger.vocabulary.commands import COMMANDS
from ledger.vocabulary.shapes import Role

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
_FIRST = bytes(32).hex()
_PROOF_BYTES = 32
MAX_VALID_KEYS = 2
"""So many keys of an origin may be valid at one instant: one, and the next while they change."""


class OriginSet(Struct, frozen=True, kw_only=True, tag="origin", forbid_unknown_fields=True):
    """An origin is added, or may do something else from now on; its keys stay."""

    name: str
    roles: tuple[Role, ...]
    commands: tuple[str, ...] = (EVERY,)
    accounts: tuple[str, ...] = (EVERY,)


class KeyAdded(
    Struct, frozen=True, kw_only=True, tag="key", omit_defaults=True, forbid_unknown_fields=True
):
    """A key is added. `proof` is in hexadecimal digits."""

    origin: str
    key_id: str
    algorithm: Algorithm
    proof: str
    valid_from: str
    valid_until: str | None = None


class KeyEnds(Struct, frozen=True, kw_only=True, tag="end", forbid_unknown_fields=True):
    """A key is valid until before this instant, instead of what was said before."""

    origin: str
    key_id: str
    valid_until: str


class ModeSet(Struct, frozen=True, kw_only=True, tag="mode", forbid_unknown_fields=True):
    """What happens to commands that are not proven."""

    mode: Mode


Change = OriginSet | KeyAdded | KeyEnds | ModeSet


class Line(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line: when and by whom it was written, what it changes, and the hash of the line before.

    Nothing is decided by `at` and `by`; they are for people.
    """

    at: str
    by: str
    change: Change
    previous: str


class OriginHistory(Struct, frozen=True, kw_only=True):
    """All lines, and the table after each; the first table is the empty one."""

    lines: tuple[Line, ...] = ()
    tables: tuple[OriginTable, ...] = (OriginTable(),)

    @property
    def newest(self) -> OriginTable:
        """The table after the last line."""
        return self.tables[-1]

    def version(self, version: str) -> OriginTable | None:
        """The table of this version; None if this history does not have it."""
        number = version.partition(":")[0]
        place = int(number) if number.isdecimal() and number.isascii() else 0
        found = self.tables[place] if place < len(self.tables) else None
        return found if found is not None and found.version == version else None

    def __contains__(self, version: object) -> bool:
        """Whether this history has had this version."""
        return isinstance(version, str) and self.version(version) is not None


def read_history(text: str) -> OriginHistory:
    """The history in a file's text. ValueError names the line that cannot follow."""
    history, previous = OriginHistory(), _FIRST
    *raws, rest = text.split("\n")
    if rest:
        raise ValueError(f"line {len(raws) + 1}: it has no end; restore the file from a copy")
    for number, raw in enumerate(raws, start=1):
        try:
            line = msgspec.json.decode(raw, type=Line)
            if line.previous != previous:
                raise ValueError(f"previous is {line.previous}, but the line before has {previous}")
            previous = sha256(raw.encode()).hexdigest()
            table = _changed(history.newest, line.change)
        except ValueError as error:  # msgspec's errors are such too
            raise ValueError(f"line {number}: {error}") from error
        table = replace(table, version=f"{number}:{previous}")
        history = OriginHistory(lines=(*history.lines, line), tables=(*history.tables, table))
    return history


def next_line(history: OriginHistory, change: Change, *, at: int, by: str) -> str:
    """The text of the line that makes this change. ValueError if it cannot be made."""
    _changed(history.newest, change)
    previous = history.newest.version.partition(":")[2] or _FIRST
    line = Line(at=format_instant(at), by=by, change=change, previous=previous)
    return msgspec.json.encode(line).decode() + "\n"


def _changed(table: OriginTable, change: Change) -> OriginTable:
    match change:
        case OriginSet():
            return _with(table, _origin(table, change))
        case KeyAdded():
            return _with(table, _with_key(_known(table, change.origin), change))
        case KeyEnds():
            return _with(table, _with_end(_known(table, change.origin), change))
        case ModeSet(mode=mode):
            if mode is not Mode.OPEN and not table.origins.get(OWN, _NOBODY).keys:
                raise ValueError(f"origin {OWN!r} has no key, so no follow-up could be signed")
            return replace(table, mode=mode)
        case _ as unreachable:
            assert_never(unreachable)


def _with(table: OriginTable, origin: Origin) -> OriginTable:
    return replace(table, origins={**table.origins, origin.name: origin})


def _origin(table: OriginTable, change: OriginSet) -> Origin:
    name, roles = named("origin", change.name), frozenset(change.roles)
    if (name == OWN) != (Role.SYSTEM in roles) or (name == OWN and len(roles) > 1):
        raise ValueError(f"origin {name!r}: {OWN!r} has the role SYSTEM alone, no other has it")
    unknown = sorted({*change.commands} - {EVERY, *COMMANDS})
    if unknown:
        raise ValueError(f"origin {name!r}: there is no command {unknown[0]!r}")
    wrong = [each for each in change.accounts if not each or EVERY in each[:-1]]
    for what, values in (
        ("role", roles),
        ("command", change.commands),
        ("account", change.accounts),
    ):
        if not values:
            raise ValueError(f"origin {name!r}: it has no {what}")
    if wrong:
        raise ValueError(f"origin {name!r}: account {wrong[0]!r} is neither an id nor a beginning*")
    return Origin(
        name=name,
        roles=roles,
        commands=frozenset(change.commands),
        accounts=frozenset(change.accounts),
        keys=table.origins.get(name, _NOBODY).keys,
    )


def _known(table: OriginTable, name: str) -> Origin:
    if name not in table.origins:
        raise ValueError(f"there is no origin {name!r}; there are: {_listed(table.origins)}")
    return table.origins[name]


def _with_key(origin: Origin, change: KeyAdded) -> Origin:
    key_id = named("key", change.key_id)
    if key_id in origin.keys:
        raise ValueError(f"origin {origin.name!r} has a key {key_id!r}; a key never changes")
    proof = bytes.fromhex(change.proof)
    if len(proof) != _PROOF_BYTES:
        raise ValueError(f"key {key_id!r}: its proof has {len(proof)} bytes, not {_PROOF_BYTES}")
    key = Key(
        key_id=key_id,
        algorithm=change.algorithm,
        proof=proof,
        valid_from=parse_instant(change.valid_from),
        valid_until=None if change.valid_until is None else parse_instant(change.valid_until),
    )
    return _with_keys(origin, key)


def _with_end(origin: Origin, change: KeyEnds) -> Origin:
    if change.key_id not in origin.keys:
        raise ValueError(
            f"origin {origin.name!r} has no key {change.key_id!r}; it has: {_listed(origin.keys)}"
        )
    key = replace(origin.keys[change.key_id], valid_until=parse_instant(change.valid_until))
    return _with_keys(origin, key)


def _with_keys(origin: Origin, key: Key) -> Origin:
    keys = {**origin.keys, key.key_id: key}
    for start in (each.valid_from for each in keys.values()):
        valid = [each.key_id for each in keys.values() if each.valid_at(start)]
        if len(valid) > MAX_VALID_KEYS:
            raise ValueError(
                f"origin {origin.name!r}: the keys {_listed(valid)} would be valid at once, at "
                f"{format_instant(start)}; at most {MAX_VALID_KEYS} may"
            )
    return replace(origin, keys=keys)


def named(what: str, name: str) -> str:
    """The name of an origin or key; ValueError if it cannot be one."""
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{what} {name!r}: a name has 1 to 64 small letters, digits, dots, dashes or low lines"
        )
    return name


def _listed(names: Mapping[str, object] | list[str]) -> str:
    return ", ".join(names) or "none"


_NOBODY = Origin(name="", roles=frozenset(), commands=frozenset(), accounts=frozenset())
