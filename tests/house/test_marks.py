"""The marks are met, and each of them can be missed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.marks import crowded, faults, main, measure


def test_the_source_meets_every_mark(capsys: pytest.CaptureFixture[str]) -> None:
    status = main()
    assert status == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("x = 1\n", "opens with no sentence"),
        ('"""A thing without a full stop"""\n', "opens with no sentence"),
        ('"""Long."""\n' + "x = 1\n" * 400, "401 lines, at most 400"),
        ('"""Long."""\n\n\ndef f() -> None:\n' + "    x = 1\n" * 51, "f has 51 lines"),
        ('"""Long."""\n' + "x = 1\n" * 80, "the median file has 81 lines"),
        ('"""Long."""\n\n\ndef f() -> None:\n' + "    x = 1\n" * 11, "median function has 11"),
    ],
)
def test_a_missed_mark_is_named(text: str, fault: str, tmp_path: Path) -> None:
    path = tmp_path / "planted.py"
    path.write_text(text, encoding="utf-8")
    assert any(fault in found for found in faults([measure(path)]))


def test_a_docstring_does_not_count_as_length(tmp_path: Path) -> None:
    path = tmp_path / "planted.py"
    path.write_text(
        '"""Short."""\n\n\ndef f() -> None:\n    """One.\n\n    Two.\n    """\n', encoding="utf-8"
    )
    assert measure(path).functions[0].lines == 0


def test_a_long_signature_does_not_count_as_length(tmp_path: Path) -> None:
    path = tmp_path / "planted.py"
    path.write_text('"""Short."""\n\n\ndef f(\n    a: int,\n    b: int,\n) -> int:\n    return a\n')
    assert measure(path).functions[0].lines == 1


def test_a_crowded_folder_is_named_unless_its_files_have_one_shape(tmp_path: Path) -> None:
    for name in ("full", "room", "policies", "no_policies"):
        folder = tmp_path / name
        folder.mkdir()
        for number in range(14 if name == "full" else 15):
            (folder / f"file_{number}.py").touch()
        (folder / "__init__.py").touch()
    assert list(crowded(tmp_path)) == [
        f"{tmp_path / name}: 15 files side by side, at most 14; make folders"
        for name in ("no_policies", "room")
    ]


def test_a_folder_counts_beside_the_files(tmp_path: Path) -> None:
    for number in range(14):
        (tmp_path / f"file_{number}.py").touch()
    assert list(crowded(tmp_path)) == []
    (tmp_path / "inner").mkdir()
    (fault,) = crowded(tmp_path)
    assert "15 files side by side" in fault
