"""A scene of the demonstration: texts for people, commands for the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from console.submitting.command_files import Line
from console.terminal.output import json_line
from ledger.values.money import Currency
from ledger.wire.json.command_file import read_command_file
from ledger.wire.json.command_lines import ADVANCE_CLOCK


class Shown(Struct, frozen=True, kw_only=True):
    """A read model to show, for the scene's account, with these columns."""

    question: str
    columns: tuple[str, ...]


class Beat(Struct, frozen=True, kw_only=True):
    """One step at an instant: its explanation and its command.

    Without a command only time passes. Afterwards `show` is displayed.
    """

    at: str
    say: str
    id: str = ""
    command: str = ADVANCE_CLOCK
    role: str = ""
    body: Mapping[str, Any] = {}
    show: tuple[Shown, ...] = ()


class Scene(Struct, frozen=True, kw_only=True):
    """A part of the story, about one account. `actors` are the people by their role."""

    title: str
    account: str
    actors: Mapping[str, str]
    beats: tuple[Beat, ...]


def lines_of(scene: Scene, currencies: Mapping[str, Currency]) -> tuple[Line, ...]:
    """The scene's beats as lines of a command file, one each."""
    text = "\n".join(json_line(_json(scene, beat)) for beat in scene.beats)
    found = read_command_file(text.encode(), require_at=True, known_currencies=currencies)
    if found.problems:
        raise ValueError(f"scene {scene.title!r}: {'; '.join(str(p) for p in found.problems)}")
    return found.lines


def _json(scene: Scene, beat: Beat) -> dict[str, Any]:
    if beat.command == ADVANCE_CLOCK:
        return {"at": beat.at, "command": ADVANCE_CLOCK}
    return {
        "at": beat.at,
        "command": beat.command,
        "id": beat.id,
        "account": scene.account,
        "actor": {"id": scene.actors[beat.role], "role": beat.role},
        "body": beat.body,
    }
