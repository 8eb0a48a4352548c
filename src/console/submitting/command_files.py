"""Reads a command file, or reports all its errors."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from msgspec import Struct

from console.terminal.errors import BadInput
from ledger.values.money import Currency
from ledger.wire.json.command_file import read_command_file, read_commands
from ledger.wire.json.command_lines import AdvanceClock, CommandFileProblem, CommandLine
from ledger.wire.json.command_survey import Survey, survey
from ledger.wire.json.lines import JsonLine, json_lines_of

Line = CommandLine | AdvanceClock
TellBytes = Callable[[int, int], None]
"""Takes how many lines were read so far, and how many bytes of the file."""

_SHOWN_PROBLEMS = 50
_TOLD_EACH_LINES = 500


class Checked(Struct, frozen=True, kw_only=True):
    """A file without a problem: how many commands it gives, and its first line."""

    commands: int
    first: Line


class CommandsInFile:
    """A file that is read as often as needed, and never held whole."""

    def __init__(self, path: Path, file: IO[bytes], *, require_at: bool) -> None:
        self._path = path
        self._file = file
        self._require_at = require_at
        self._known_currencies: Mapping[str, Currency] = {}
        self._as_it_was = _state_of(file)
        self.survey = Survey(frozenset(), frozenset())

    @property
    def size(self) -> int:
        """Its bytes."""
        return os.fstat(self._file.fileno()).st_size

    def look(self, tell: TellBytes) -> None:
        """Find out what it names."""
        self.survey = survey(self._json_lines(tell))

    def check(self, known_currencies: Mapping[str, Currency], tell: TellBytes) -> Checked:
        """Judge every line; BadInput with all problems where there is one, or no command."""
        self._known_currencies = known_currencies
        problems: list[CommandFileProblem] = []
        count = commands = 0
        first: Line | None = None
        for each in self._read(tell):
            if isinstance(each, CommandFileProblem):
                count += 1
                problems += [each] if count <= _SHOWN_PROBLEMS else []
            else:
                first = first or each
                commands += isinstance(each, CommandLine)
        if problems:
            raise _turned_away(self._path, problems, count)
        if first is None:
            raise _empty(self._path)
        return Checked(commands=commands, first=first)

    def lines(self) -> Iterator[Line]:
        """Its lines, after they were checked."""
        for each in self._read(lambda *_: None):
            if isinstance(each, CommandFileProblem) or _state_of(self._file) != self._as_it_was:
                raise BadInput(
                    f"{self._path} was changed while it was read; submit it again: nothing is done "
                    "twice"
                )
            yield each

    def _read(self, tell: TellBytes) -> Iterator[Line | CommandFileProblem]:
        return read_commands(
            self._json_lines(tell),
            require_at=self._require_at,
            known_currencies=self._known_currencies,
            referred=self.survey.referred,
        )

    def _json_lines(self, tell: TellBytes) -> Iterator[JsonLine]:
        self._file.seek(0)
        lines = json_lines_of(self._file)
        count = 0
        while some := list(islice(lines, _TOLD_EACH_LINES)):
            yield from some
            count += len(some)
            tell(count, self._file.tell())


@contextmanager
def commands_in(path: Path, *, require_at: bool) -> Iterator[CommandsInFile]:
    """The file, open; `-` is standard input, which is written to a temporary file first."""
    if str(path) == "-":
        with _kept(sys.stdin.buffer) as file:
            yield CommandsInFile(path, file, require_at=require_at)
        return
    try:
        opened = path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error
    with opened:
        if opened.seekable():
            yield CommandsInFile(path, opened, require_at=require_at)
        else:
            with _kept(opened) as file:
                yield CommandsInFile(path, file, require_at=require_at)


def read_bytes(path: Path) -> bytes:
    """The file's content; `-` is standard input."""
    if str(path) == "-":
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def read_lines(
    path: Path,
    content: bytes,
    *,
    require_at: bool,
    known_currencies: Mapping[str, Currency] | None = None,
) -> tuple[Line, ...]:
    """The lines, or BadInput with every problem of the file."""
    found = read_command_file(content, require_at=require_at, known_currencies=known_currencies)
    if found.problems:
        raise _turned_away(path, found.problems[:_SHOWN_PROBLEMS], len(found.problems))
    if not found.lines:
        raise _empty(path)
    return found.lines


def _turned_away(path: Path, shown: Sequence[CommandFileProblem], count: int) -> BadInput:
    problems = [f"\n  {each}" for each in shown]
    if count > len(shown):
        problems.append(f"\n  … and {count - len(shown)} more")
    what = "1 problem" if count == 1 else f"{count} problems"
    return BadInput(f"{path} has {what}; nothing was published:{''.join(problems)}")


def _empty(path: Path) -> BadInput:
    return BadInput(f"{path} contains no commands; see examples/ for the format")


def _unreadable(path: Path, error: OSError) -> BadInput:
    return BadInput(f"{path}: {error.strerror or error}; name a command file")


@contextmanager
def _kept(source: IO[bytes]) -> Iterator[IO[bytes]]:
    """What can be read once only, in a file that goes with the process."""
    with TemporaryFile() as file:
        shutil.copyfileobj(source, file)
        file.flush()
        yield file


def _state_of(file: IO[bytes]) -> tuple[int, int]:
    state = os.fstat(file.fileno())
    return state.st_size, state.st_mtime_ns
