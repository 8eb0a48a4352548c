"""Nothing in the source is unused or stands twice, and a planted one of each is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.unused import TWIN_LINES, main, twins, unused


def test_nothing_is_unused_and_nothing_stands_twice(capsys: pytest.CaptureFixture[str]) -> None:
    status = main()
    assert status == 0, capsys.readouterr().out


def test_an_unused_function_is_named(tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text("def forgotten() -> None:\n    pass\n")
    (fault,) = unused(tmp_path)
    assert "unused function 'forgotten'" in fault


def test_what_a_template_reads_is_used(tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text("class Shown:\n    words = 1\n\n\nprint(Shown)\n")
    (fault,) = unused(tmp_path)
    assert "unused variable 'words'" in fault
    (tmp_path / "planted.html").write_text("{{ shown.words }}")
    assert unused(tmp_path) == []


@pytest.mark.parametrize(("lines", "found"), [(TWIN_LINES - 1, False), (TWIN_LINES, True)])
def test_lines_that_stand_twice_are_named(tmp_path: Path, lines: int, found: bool) -> None:
    text = "".join(f"x_{number} = {number}\n" for number in range(lines))
    (tmp_path / "one.py").write_text(text)
    (tmp_path / "other.py").write_text(f"y = 0\n{text}")
    assert bool(twins(tmp_path)) is found
