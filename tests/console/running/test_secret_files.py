"""A secret is read from a file that nobody else may read, and is in no error."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from console.running.secret_files import one_secret, read_secret
from console.terminal.errors import BadInput


def written(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_secret_is_the_line_of_its_file(tmp_path: Path, end: bytes) -> None:
    found = read_secret("X_FILE", written(tmp_path / "secret", b" s3cret =" + end))
    assert found.get_secret_value() == " s3cret ="


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
def test_a_file_that_others_may_open_is_refused(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path / "secret", b"s3cret", mode)
    with pytest.raises(BadInput) as refused:
        read_secret("X_FILE", path)
    assert str(refused.value) == (
        f"X_FILE {path}: its mode {mode:04o} lets others read or change it; run 'chmod 600 {path}'"
    )


def test_a_secret_handed_to_a_container_may_be_its_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "secret", b"s3cret", 0o440)
    if path.stat().st_uid != 0:
        pytest.skip("only root can make a file that is root's")
    monkeypatch.setattr("os.geteuid", lambda: 10_001)
    assert read_secret("X_FILE", path).get_secret_value() == "s3cret"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"\n", "it is empty"), (b"one\ntwo\n", "it has several lines"), (b"s3cret\xff", "not UTF-8")],
)
def test_a_file_that_holds_no_secret_is_refused_without_its_content(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = written(tmp_path / "secret", content)
    with pytest.raises(BadInput, match=f"X_FILE {path}: {reason}") as refused:
        read_secret("X_FILE", path)
    assert refused.value.__cause__ is None
    assert "s3cret" not in str(refused.value)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file or directory; correct the path"):
        read_secret("X_FILE", tmp_path / "none")
    with pytest.raises(BadInput, match="not a file; name the file"):
        read_secret("X_FILE", tmp_path)


def test_two_ways_to_say_a_secret_are_one_too_many(tmp_path: Path) -> None:
    path = written(tmp_path / "secret", b"s3cret")
    with pytest.raises(BadInput, match="X and X_FILE are both set; unset one"):
        one_secret(("X", "X_FILE"), SecretStr("other"), path)
    assert one_secret(("X", "X_FILE"), None, None) is None
