"""Changes of the table of origins, with the files of new keys."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from console.running.origins.key_files import key_file, new_key, read_key, read_public_key
from console.running.origins.origin_folder import OriginFolder
from console.running.origins.own_signature import CONSOLE, OPERATOR
from console.terminal.errors import BadInput
from consumers.clock import WallClock
from devstack.certificates import write_secret
from ledger.origins.history import (
    Change,
    KeyAdded,
    KeyEnds,
    ModeSet,
    OriginSet,
    named,
)
from ledger.origins.signing import proof_of
from ledger.origins.table import OWN, Algorithm, Key, Mode, Origin
from ledger.values.instants import MINUTE, Instant, format_instant
from ledger.vocabulary.shapes import Role

GATEWAY = "gateway"
"""Upstream billing, in a stack that is secured from its first start."""
_CLOCKS_DIFFER = 5 * MINUTE


class Rights(Struct, frozen=True, kw_only=True):
    """What an origin may do."""

    roles: tuple[Role, ...]
    commands: tuple[str, ...] = ("*",)
    accounts: tuple[str, ...] = ("*",)


class NewKey(Struct, frozen=True, kw_only=True):
    """A key to add: made here, or elsewhere if there is a public key. Without an algorithm it is
    that of the key before; without an id the next number.
    """

    algorithm: Algorithm | None = None
    public_key: Path | None = None
    key_id: str | None = None
    since: Instant | None = None


EVERYBODY = Rights(roles=tuple(role for role in Role if role is not Role.SYSTEM))
_OWN_RIGHTS = Rights(roles=(Role.SYSTEM,))


def add_origin(folder: OriginFolder, name: str, rights: Rights, key: NewKey) -> Iterator[str]:
    """An origin and its first key; yields what was done. BadInput changes nothing."""
    history = folder.history()
    if name in history.newest.origins:
        raise BadInput(
            f"there is an origin {name!r}; give it a key with 'refundctl origins rotate', other "
            "rights with 'refundctl origins allow'"
        )
    changes: list[Change] = []
    if OWN not in history.newest.origins and name != OWN:
        changes += _with_new_key(folder, OWN, _OWN_RIGHTS, NewKey())
    changes += _with_new_key(folder, name, rights, key)
    yield from _told(folder, _appended(folder, changes))


def start_required(
    folder: OriginFolder, algorithm: Algorithm = Algorithm.HMAC_SHA256
) -> Iterator[str]:
    """The table of a stack that is secured from its first start: the ledger's own origin, upstream
    billing, the web console and the operator. Does nothing if there is a table.
    """
    if folder.history().lines:
        return
    changes: list[Change] = []
    for name in (OWN, GATEWAY, OPERATOR, CONSOLE):
        rights = _OWN_RIGHTS if name == OWN else EVERYBODY
        changes += _with_new_key(folder, name, rights, NewKey(algorithm=algorithm))
    changes.append(ModeSet(mode=Mode.REQUIRED))
    yield from _told(folder, _appended(folder, changes))


def hand_over(folder: OriginFolder, owners: Mapping[str, int]) -> None:
    """Give the keys of these origins to the users of these ids, who alone can read them."""
    for name, user in owners.items():
        for path in key_file(folder.path, name, "").parent.glob("*.key"):
            os.chown(path, user, user)


def set_rights(folder: OriginFolder, name: str, rights: Rights) -> Iterator[str]:
    """Other rights of a known origin."""
    _known(folder, name)
    yield from _told(folder, _appended(folder, [_set(name, rights)]))


def add_key(folder: OriginFolder, name: str, key: NewKey, *, overlap: Instant) -> Iterator[str]:
    """A key, and the end of those that are valid now."""
    origin, now = _known(folder, name), WallClock().now()
    since = key.since or now
    ending = [each for each in origin.keys.values() if _ends_later(each, since + overlap)]
    before = max(origin.keys.values(), key=lambda each: each.valid_from, default=None)
    algorithm = key.algorithm or (before.algorithm if before else Algorithm.HMAC_SHA256)
    changes: list[Change] = [
        KeyEnds(origin=name, key_id=each.key_id, valid_until=format_instant(since + overlap))
        for each in ending
    ]
    changes.append(_new(folder, name, key, algorithm, origin))
    yield from _told(folder, _appended(folder, changes))


def end_keys(folder: OriginFolder, name: str, key_id: str | None) -> Iterator[str]:
    """The end, now, of one key or of all that would be valid later."""
    origin, now = _known(folder, name), WallClock().now()
    chosen = [key_id] if key_id else [e.key_id for e in origin.keys.values() if _ends_later(e, now)]
    if not chosen:
        raise BadInput(f"origin {name!r} has no key that is still valid; nothing was changed")
    changes = [
        KeyEnds(origin=name, key_id=each, valid_until=format_instant(now)) for each in chosen
    ]
    yield from _told(folder, _appended(folder, changes))


def set_mode(folder: OriginFolder, mode: Mode) -> Iterator[str]:
    """Another mode."""
    yield from _told(folder, _appended(folder, [ModeSet(mode=mode)]))


def _ends_later(key: Key, instant: Instant) -> bool:
    return key.valid_until is None or key.valid_until > instant


def _known(folder: OriginFolder, name: str) -> Origin:
    origins = folder.history().newest.origins
    if name not in origins:
        listed = ", ".join(origins) or "none"
        raise BadInput(f"there is no origin {name!r} in {folder.path}; there are: {listed}")
    return origins[name]


def _with_new_key(
    folder: OriginFolder, name: str, rights: Rights, key: NewKey
) -> tuple[Change, Change]:
    algorithm = key.algorithm or Algorithm.HMAC_SHA256
    return _set(name, rights), _new(folder, name, key, algorithm, None)


def _set(name: str, rights: Rights) -> OriginSet:
    return OriginSet(
        name=name, roles=rights.roles, commands=rights.commands, accounts=rights.accounts
    )


def _new(
    folder: OriginFolder, name: str, key: NewKey, algorithm: Algorithm, origin: Origin | None
) -> KeyAdded:
    """The line of a key. Its file is written first: without it, the line would stop deciders."""
    known = origin.keys if origin else {}
    key_id = key.key_id or f"k{len(known) + 1}"
    since = _from_now_on(known) if key.since is None else key.since
    if key.public_key is not None:
        algorithm, proof = Algorithm.ED25519, read_public_key(key.public_key)
    else:
        path = key_file(folder.path, name, key_id)
        _check_names(name, key_id, known)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_secret(path, new_key(algorithm))
        algorithm, secret = read_key("key", path)
        proof = proof_of(algorithm, secret)
    return KeyAdded(
        origin=name,
        key_id=key_id,
        algorithm=algorithm,
        proof=proof.hex(),
        valid_from=format_instant(since),
    )


def _from_now_on(known: Mapping[str, Key]) -> Instant:
    """Valid for brokers too whose clocks are behind, but not beside a key that has just ended."""
    now = WallClock().now()
    ends = [each.valid_until for each in known.values() if each.valid_until is not None]
    return max([now - _CLOCKS_DIFFER, *(end for end in ends if end <= now)])


def _check_names(name: str, key_id: str, known: Mapping[str, Key]) -> None:
    """They become the name of a file."""
    try:
        named("origin", name)
        named("key", key_id)
    except ValueError as error:
        raise BadInput(f"{error}; nothing was changed") from error
    if key_id in known:
        raise BadInput(
            f"origin {name!r} has a key {key_id!r}, which never changes; name another id"
        )


def _appended(folder: OriginFolder, changes: Sequence[Change]) -> Sequence[Change]:
    try:
        folder.append(changes, at=WallClock().now(), by=_user())
    except ValueError as error:
        raise BadInput(f"{error}; nothing was changed") from error
    return changes


def _told(folder: OriginFolder, changes: Sequence[Change]) -> Iterator[str]:
    for change in changes:
        match change:
            case OriginSet():
                roles = ", ".join(sorted(change.roles))
                yield (
                    f"origin {change.name}: {roles}; commands {', '.join(change.commands)}; "
                    f"accounts {', '.join(change.accounts)}"
                )
            case KeyAdded():
                path = key_file(folder.path, change.origin, change.key_id)
                kept = f"in {path}" if path.exists() else "kept elsewhere"
                yield (
                    f"key {change.origin}/{change.key_id} ({change.algorithm}), valid from "
                    f"{change.valid_from}; {kept}"
                )
            case KeyEnds():
                yield (
                    f"key {change.origin}/{change.key_id} is valid until before "
                    f"{change.valid_until}"
                )
            case ModeSet(mode=mode):
                yield f"mode {mode}"
    yield f"version {folder.history().newest.version}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return f"uid {os.getuid()}"
