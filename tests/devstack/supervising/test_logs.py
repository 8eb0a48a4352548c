"""Reading the logs of a stack, once and as they grow."""

from __future__ import annotations

from itertools import chain, repeat
from pathlib import Path

import pytest

from devstack import DevstackError, follow, log_paths, tail


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "app.log").write_text("one\ntwo\nthree\n")
    (folder / "kafka.log").write_text("started\n")
    return folder


def test_the_last_lines_come_with_their_process(tmp_path: Path, logs: Path) -> None:
    assert list(tail(tmp_path, count=2)) == [
        ("app", "two"),
        ("app", "three"),
        ("kafka", "started"),
    ]
    assert list(tail(tmp_path, ["kafka"])) == [("kafka", "started")]


def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path: Path, logs: Path) -> None:
    with pytest.raises(DevstackError, match=r"no log named 'deciderr' .*: app, kafka"):
        list(tail(tmp_path, ["deciderr"]))


def test_where_nothing_ever_ran_there_are_no_logs(tmp_path: Path) -> None:
    assert log_paths(tmp_path) == {}
    assert list(tail(tmp_path)) == []


def test_following_gives_whole_lines_and_sees_a_log_begun_anew(tmp_path: Path, logs: Path) -> None:
    log = logs / "app.log"
    steps = iter(("four\nfi", "ve\n", None))
    rounds = chain(steps, repeat(""))

    def write_more() -> bool:
        text = next(rounds)
        if text is None:
            log.write_text("anew\n")
            return True
        with log.open("a") as handle:
            handle.write(text)
        return False

    assert list(follow(tmp_path, ["app"], until=write_more)) == [
        ("app", "four"),
        ("app", "five"),
        ("app", "anew"),
    ]
