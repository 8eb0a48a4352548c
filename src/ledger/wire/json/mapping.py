"""Values to and from plain JSON, for files, the command line and HTTP; the public functions."""

from __future__ import annotations

from ledger.wire.json.reading import FieldProblem, command_body_from_json, read_command_body
from ledger.wire.json.writing import event_to_json, value_to_json

__all__ = [
    "FieldProblem",
    "command_body_from_json",
    "event_to_json",
    "read_command_body",
    "value_to_json",
]
