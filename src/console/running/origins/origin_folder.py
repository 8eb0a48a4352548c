"""The folder of a table of origins: its lines in one file, and keys in files of their own."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from console.running.origins.key_files import key_file, read_key
from console.terminal.errors import BadInput
from ledger.origins.history import Change, OriginHistory, next_line, read_history
from ledger.origins.table import Algorithm
from ledger.origins.verifying import Verifier
from ledger.values.instants import Instant

TABLE = "origins.jsonl"
_SETTING = "REFUNDS_ORIGINS"

_State = tuple[int, int, int] | None


class OriginFolder:
    """Reads a table again only when its file has changed; without a file there is no table."""

    def __init__(self, folder: Path) -> None:
        self.path = folder
        self._state: _State = None
        self._history = OriginHistory()
        self._verified: tuple[_State, str, Verifier] | None = None

    @property
    def table_file(self) -> Path:
        """The file of the table's history."""
        return self.path / TABLE

    def history(self) -> OriginHistory:
        """The table's history as the file has it now; without lines if there is none."""
        state = self._state_now()
        if state != self._state:
            self._history = OriginHistory() if state is None else self._read()
            self._state = state
        return self._history

    def verifier(self, ledger_id: str) -> Verifier | None:
        """Verifies by the newest table; None without one. BadInput if a secret is missing."""
        history = self.history()
        if not history.lines:
            return None
        known = self._verified
        if known is None or known[:2] != (self._state, ledger_id):
            try:
                made = Verifier(history, self.secrets(history), ledger_id)
            except ValueError as error:
                raise BadInput(f"{_SETTING} {self.path}: {error}") from error
            self._verified = known = (self._state, ledger_id, made)
        return known[2]

    def secrets(self, history: OriginHistory) -> dict[tuple[str, str], bytes]:
        """The secrets of hmac-sha256 that are here, by origin and key id."""
        found = {}
        for origin in history.newest.origins.values():
            for key in origin.keys.values():
                path = key_file(self.path, origin.name, key.key_id)
                if key.algorithm is Algorithm.HMAC_SHA256 and path.exists():
                    found[origin.name, key.key_id] = read_key(_SETTING, path)[1]
        return found

    def append(self, changes: Sequence[Change], *, at: Instant, by: str) -> OriginHistory:
        """Add lines, all or none. ValueError if one of them cannot follow."""
        with self._alone():
            text = self._text() if self.table_file.exists() else ""
            for change in changes:
                text += next_line(read_history(text), change, at=at, by=by)
            self._replace(text)
        return self.history()

    def _read(self) -> OriginHistory:
        try:
            return read_history(self._text())
        except ValueError as error:
            raise BadInput(f"{self.table_file}: {error}") from error

    def _text(self) -> str:
        try:
            return self.table_file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"{self.table_file}: {error}; restore it from a copy") from error

    def _state_now(self) -> _State:
        try:
            found = self.table_file.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else adds lines meanwhile."""
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _replace(self, text: str) -> None:
        """A reader finds the old file or the new one; a crash leaves one of them."""
        partial = self.path / f".{TABLE}.new"
        with partial.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.table_file)
