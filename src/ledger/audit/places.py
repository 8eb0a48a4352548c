"""The file with the place where a clean audit ended, so that the next one can begin there."""

from __future__ import annotations

from hashlib import sha256

from msgspec import DecodeError, Struct, json

from ledger.audit.before import PlaceRefused
from ledger.audit.evidence import Begin

_FORM = 1


class Place(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The end of every partition, when that audit was made (UTC), and by which release."""

    form: int = _FORM
    audited_at: str
    release: str
    ends: dict[int, Begin]


class _File(Struct, frozen=True, kw_only=True):
    place: Place
    sha256: str


def place_to_bytes(place: Place) -> bytes:
    """The content of the file: the place, and a digest that shows a change by accident.

    Who can write the file can also write its digest: a file from elsewhere is no proof.
    """
    return json.format(json.encode(_File(place=place, sha256=_digest(place)))) + b"\n"


def place_of(content: bytes) -> Place:
    """The place in a file; raises PlaceRefused if it is none, or was changed."""
    again = "audit the whole log, without --from"
    try:
        found = json.decode(content, type=_File)
    except DecodeError as error:
        raise PlaceRefused(f"the file is no place of an audit: {error}; {again}") from error
    if found.place.form != _FORM or found.sha256 != _digest(found.place):
        raise PlaceRefused(f"the file was changed after the audit that wrote it; {again}")
    return found.place


def _digest(place: Place) -> str:
    return sha256(json.encode(place)).hexdigest()
