"""A file of commands is read as often as needed, a line at a time, and is one file to the end."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path

import pytest

from console.submitting.command_files import Line, commands_in
from console.terminal.errors import BadInput
from ledger.wire.json.command_file import read_command_file, read_commands
from ledger.wire.json.command_lines import AdvanceClock
from ledger.wire.json.command_survey import survey
from ledger.wire.json.lines import MAX_LINE_BYTES, json_lines, json_lines_of
from tests.console.golden_files import example_files

NAMES = [path.name for path in example_files()]
BY_NAME = {path.name: path for path in example_files()}


def read_as_submit_does(path: Path) -> list[Line]:
    with commands_in(path, require_at=True) as commands:
        commands.look(lambda *_: None)
        checked = commands.check({}, lambda *_: None)
        lines = list(commands.lines())
        assert list(commands.lines()) == lines
    given = [line for line in lines if not isinstance(line, AdvanceClock)]
    assert (checked.commands, checked.first) == (len(given), lines[0])
    return lines


@pytest.mark.parametrize("name", NAMES)
def test_line_by_line_it_says_what_it_says_as_a_whole(name: str) -> None:
    path = BY_NAME[name]
    whole = read_command_file(path.read_bytes(), require_at=True)
    assert read_as_submit_does(path) == list(whole.lines)


@pytest.mark.parametrize("name", NAMES)
def test_to_remember_what_is_referred_to_is_enough(name: str) -> None:
    """Every second line is left out, so that what many refer to is not there."""
    lines = BY_NAME[name].read_bytes().split(b"\n")
    content = b"\n".join(line for number, line in enumerate(lines) if number % 2)
    referred = survey(json_lines(content)).referred
    found = list(read_commands(json_lines(content), require_at=True, referred=referred))
    assert found == list(read_commands(json_lines(content), require_at=True))
    if b'_of": "c-' in content:
        assert referred


def test_what_comes_through_a_pipe_is_kept_to_be_read_again() -> None:
    content = BY_NAME["01-five-days.jsonl"].read_bytes()
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(content)
    try:
        lines = read_as_submit_does(Path(f"/dev/fd/{reading}"))
    finally:
        os.close(reading)
    assert lines == list(read_command_file(content, require_at=True).lines)


def test_a_file_that_is_changed_after_the_check_is_not_read_on(tmp_path: Path) -> None:
    path = tmp_path / "commands.jsonl"
    content = BY_NAME["01-five-days.jsonl"].read_bytes()
    path.write_bytes(content)
    with commands_in(path, require_at=True) as commands:
        commands.look(lambda *_: None)
        commands.check({}, lambda *_: None)
        lines = commands.lines()
        next(lines)
        path.write_bytes(content + content.splitlines()[-1])
        with pytest.raises(BadInput, match="was changed while it was read; submit it again"):
            next(lines)


def test_the_first_problems_are_told_and_the_others_counted(tmp_path: Path) -> None:
    path = tmp_path / "commands.jsonl"
    path.write_text("{}\n" * 70)
    with (
        commands_in(path, require_at=False) as commands,
        pytest.raises(BadInput, match="has 70 problems; nothing was published") as told,
    ):
        commands.check({}, lambda *_: None)
    assert "line 50, command" in str(told.value)
    assert "line 51" not in str(told.value)
    assert "… and 20 more" in str(told.value)


def test_what_is_read_is_told_in_lines_and_bytes(tmp_path: Path) -> None:
    path = tmp_path / "commands.jsonl"
    path.write_text("{}\n" * 1_200)
    told: list[tuple[int, int]] = []
    with commands_in(path, require_at=False) as commands:
        commands.look(lambda lines, read: told.append((lines, read)))
        assert told == [(500, 1_500), (1_000, 3_000), (1_200, commands.size)]


@pytest.mark.parametrize("end", [b"", b"\n", b"\n{}\n"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b"{}\n"])
@pytest.mark.parametrize("more", [-1, 0, 1, 20, 3 * MAX_LINE_BYTES])
def test_a_line_is_read_up_to_its_limit_and_the_next_one_after_it(
    more: int, start: bytes, end: bytes
) -> None:
    long = b'{"a": "' + b"x" * (MAX_LINE_BYTES - 9 + more) + b'"}'
    lines = list(json_lines_of(BytesIO(start + long + end)))
    found = next(line for line in lines if line.value != {})
    assert (found.value is None) is (more > 0)
    if more > 0:
        assert found.expected == f"a line of at most {MAX_LINE_BYTES} bytes"
        assert int(found.found.split()[0]) - len(long) in (0, 1)
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    assert len(lines) == 1 + start.startswith(b"{") + end.startswith(b"\n{")
