"""What `refundctl export` and `report` refuse at once: one clear sentence, exit 2, no file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.virtual_terminal import Terminal


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("-o", "r.txt"), "no format is called 'txt'; --format takes csv, xlsx, parquet, jsonl, b"),
        (("-o", "r.csv", "-f", "xls"), "no format is called 'xls'"),
        (("-o", "nowhere/r.csv"), "nowhere/r.csv: there is no folder nowhere; create it first"),
        (("-o", "there.csv"), "there.csv exists; --force replaces it"),
        (("-o", "r.csv", "--from", "2026-13-01"), "--from 2026-13-01: expected a day such as"),
        (("-o", "r.csv", "--to", "soon"), "--to soon: expected a day such as 2026-01-31, or an"),
        (
            ("-o", "r.csv", "--from", "2026-02-01", "--to", "2026-01-01"),
            "ends (--to 2026-01-01) be",
        ),
        (("-o", "r.csv", "--from", "2026-02-01", "--to", "2026-02-01"), "before it begins"),
    ],
)
def test_bad_input_is_told_in_a_sentence(
    terminal: Terminal,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.csv").write_text("kept")
    ran = terminal.run("export", "refunds", *words)
    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.err
    assert len(ran.err.splitlines()) == 1
    assert (tmp_path / "there.csv").read_text() == "kept"
    assert not (tmp_path / "r.csv").exists()
