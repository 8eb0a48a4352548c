"""The reference pages tell everything there is, nothing else, and in valid AsyncAPI."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from inspect import cleandoc
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator
from msgspec import Struct

from consumers.reactions import REACTIONS
from ledger.audit.checks import CHECKS
from ledger.policies import JUDGED, STOPPERS
from ledger.values.refusal import Code
from ledger.vocabulary.commands import COMMANDS
from ledger.vocabulary.envelope import CommandMeta, EventMeta
from ledger.vocabulary.events import EVENTS
from ledger.vocabulary.fields import Items, Record, fields_of
from ledger.vocabulary.words import words
from tests.house.tree import ROOT
from tools.reference.asyncapi import CHANNELS, document
from tools.reference.codes import lines, pages_of_rules
from tools.reference.topics import ERRORS, HEADERS, RESOLUTIONS, sample_headers

SCHEMA_FILE = Path(__file__).parent / "vendored" / "asyncapi-3.0.0.json.gz"
REFERENCE = ROOT / "docs" / "reference"


def asyncapi_problems(found: Any) -> list[str]:
    """What the specification's schema has against a document."""
    schema = json.loads(gzip.decompress(SCHEMA_FILE.read_bytes()))
    errors = Draft7Validator(schema).iter_errors(found)
    return [f"{each.json_path}: {each.message[:300]}" for each in errors]


def all_fields(shapes: Sequence[type[Struct]]) -> set[str]:
    """The names of all fields, also of the records inside."""
    names: set[str] = set()
    for shape in shapes:
        for field in fields_of(shape):
            names.add(field.name)
            kind = field.kind
            while isinstance(kind, Items):
                kind = kind.of
            if isinstance(kind, Record):
                names |= all_fields([kind.shape])
    return names


def all_own_fields(shapes: Sequence[type[Struct]]) -> set[str]:
    """Every field with the record it is in, such as `InvoiceIssued.total`."""
    names: set[str] = set()
    for shape in shapes:
        for field in fields_of(shape):
            names.add(f"{shape.__name__}.{field.name}")
            kind = field.kind
            while isinstance(kind, Items):
                kind = kind.of
            if isinstance(kind, Record):
                names |= all_own_fields([kind.shape])
    return names


def test_a_field_is_told_by_the_sentence_of_its_own_record() -> None:
    page = (REFERENCE / "commands.md").read_text("utf-8")
    _, _, bought = page.partition("## RecordReservationPurchase")
    assert "| `quantity` | number |  | The bought quantity, from 1. |" in bought.split("##")[0]


@pytest.mark.parametrize("page", ["commands.md", "events.md"])
def test_what_absence_means_is_told_of_fields_alone_that_can_be_absent(page: str) -> None:
    rows = [line for line in (REFERENCE / page).read_text("utf-8").splitlines() if line[:1] == "|"]
    told = [row for row in rows if "if absent" in row]
    assert [row for row in told if row.split(" | ")[2].strip() == ""] == []


def test_there_is_a_sentence_for_everything_and_no_stale_one() -> None:
    shapes = [CommandMeta, EventMeta, *COMMANDS.values(), *EVENTS.values()]
    assert {name: set(table) for name, table in words().items()} == {
        "commands": set(COMMANDS),
        "events": set(EVENTS),
        "fields": all_fields(shapes),
        "own": set(words()["own"]) & all_own_fields(shapes),
        "codes": {code.value for code in Code},
    }


def test_every_sentence_ends_as_one() -> None:
    said = [text for table in words().values() for text in table.values()]
    assert [text for text in said if not text.endswith((".", "12 or 36."))] == []


def test_the_asyncapi_document_is_valid() -> None:
    assert asyncapi_problems(yaml.safe_load((REFERENCE / "asyncapi.yaml").read_text())) == []


def test_a_fault_in_an_asyncapi_document_is_found() -> None:
    planted = document()
    planted["operations"]["decideCommands"]["action"] = "decide"
    assert asyncapi_problems(planted)


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    told = document()

    def references(part: Any) -> list[str]:
        if isinstance(part, dict):
            own = [part["$ref"]] if "$ref" in part else []
            return own + [ref for each in part.values() for ref in references(each)]
        return [ref for each in part for ref in references(each)] if isinstance(part, list) else []

    for reference in references(told):
        path, _, inside = reference.partition("#/")
        if path:
            assert (REFERENCE / path).is_file(), reference
        else:
            found: Any = told
            for step in inside.split("/"):
                assert step in found, reference
                found = found[step]


def test_every_command_and_event_is_a_message_of_its_topic() -> None:
    channels = document()["channels"]
    assert {channels[name]["address"] for name in channels} == {str(t) for t in CHANNELS.values()}
    assert list(channels["commands"]["messages"]) == list(COMMANDS)
    assert list(channels["events"]["messages"]) == list(EVENTS)


def test_the_headers_told_are_those_that_records_carry() -> None:
    event, letter, resolution = sample_headers()
    assert [name for name, _ in event] == list(HEADERS)
    assert [name for name, _ in letter] == list(ERRORS)
    assert [name for name, _ in resolution] == list(RESOLUTIONS)


FOLDERS: dict[str, set[str]] = {
    "src/ledger/policies": {policy.__module__ for policy, _ in (*STOPPERS, *JUDGED)},
    "src/consumers/reactions": {reaction.__module__ for reaction, _ in REACTIONS},
    "src/ledger/audit/checks": {f"ledger.audit.checks.{check.name}" for check in CHECKS},
}
NO_POLICIES = {"case", "quote_comparison"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_of_a_folder_is_in_its_tuple(folder: str) -> None:
    files = {path.stem for path in (ROOT / folder).glob("*.py")} - {"__init__"}
    listed = {module.rpartition(".")[2] for module in FOLDERS[folder]}
    assert files - (NO_POLICIES if folder.endswith("policies") else set()) == listed


@pytest.mark.parametrize("line", tuple(lines()), ids=lambda line: f"{line.rule}-{line.code}")
def test_every_policy_says_what_it_does_and_is_told_on_a_page_of_rules(line: Any) -> None:
    assert cleandoc(line.sentence).endswith((".", ")"))
    assert line.rule in pages_of_rules()
