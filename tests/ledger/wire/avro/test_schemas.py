"""The schema files are what the classes say, and stay readable for whoever wrote with them."""

from __future__ import annotations

import copy
import json
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import fastavro
import pytest
from fastavro.schema import fingerprint, to_parsing_canonical_form
from msgspec import Meta, Struct

from ledger.vocabulary.events import EVENTS, RefundIssued
from ledger.wire.avro import codec
from ledger.wire.avro.schema_compatibility import breaches
from ledger.wire.avro.schema_derivation import (
    as_text,
    derive,
    released_digests,
    vocabulary,
    write_schemas,
)
from ledger.wire.avro.schema_files import Family, schema_file, schema_root, versions_of
from tests.samples import sample_event

ROOT = schema_root()
ALL = [(family, name) for family in Family for name in vocabulary(family)]


@pytest.mark.parametrize(("family", "name"), ALL)
def test_the_newest_file_is_the_derivation_of_its_class(family: Family, name: str) -> None:
    newest = schema_file(ROOT, family, name, max(versions_of(ROOT, family, name)))
    derived = as_text(derive(family, vocabulary(family)[name]))
    assert newest.read_text() == derived, "run `make schemas`"


def test_there_is_no_schema_without_a_class() -> None:
    folders = [(Family(path.parent.name), path.name) for path in ROOT.glob("*/*/")]
    assert sorted(folders) == sorted(ALL)


@pytest.mark.parametrize(("family", "name"), ALL)
def test_every_version_may_follow_all_older_ones(family: Family, name: str) -> None:
    files = [schema_file(ROOT, family, name, v) for v in versions_of(ROOT, family, name)]
    schemas = [json.loads(path.read_text()) for path in files]
    for place, newer in enumerate(schemas):
        for older in schemas[:place]:
            assert breaches(older, newer) == ()


def test_no_two_schemas_have_the_same_fingerprint() -> None:
    files = sorted(ROOT.glob("*/*/*.avsc"))
    prints = {_fingerprint(json.loads(path.read_text())) for path in files}
    assert len(prints) == len(files)


def test_released_files_are_as_they_were_released() -> None:
    found = {
        name: sha256((ROOT / f"{name}.avsc").read_bytes()).hexdigest()
        for name in released_digests(ROOT)
    }
    assert found == released_digests(ROOT)


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_is_readable_with_the_schema_files_alone(name: str) -> None:
    event = sample_event(EVENTS[name])
    value, _ = codec.encode_event(event)
    schemas = [json.loads(path.read_text()) for path in ROOT.glob("events/*/*.avsc")]
    by_print = {_fingerprint(schema): schema for schema in schemas}
    schema = by_print[value[2:10].hex()]
    read: Any = fastavro.schemaless_reader(BytesIO(value[10:]), fastavro.parse_schema(schema), None)
    assert schema["name"] == name
    assert read["meta"]["account_id"] == event.meta.account_id
    assert read["meta"]["recorded_at"].timestamp() == event.meta.recorded_at / 10**6


def test_a_released_class_that_changes_gets_the_next_version(tmp_path: Path) -> None:
    root, old = _released_with(tmp_path, lambda schema: _field(schema, "auto_approved", drop=True))
    assert schema_file(root, Family.EVENTS, "RefundIssued", 2) in write_schemas(root)
    assert schema_file(root, Family.EVENTS, "RefundIssued", 1).read_text() == old
    assert write_schemas(root) == []


def test_a_released_money_field_cannot_go(tmp_path: Path) -> None:
    def with_tip(schema: Any) -> None:
        tip = {"name": "tip", "type": "long", "doc": "minor units of `currency`"}
        schema["fields"].append(tip)

    root, _ = _released_with(tmp_path, with_tip)
    with pytest.raises(ValueError, match=r"money field RefundIssued\.tip was removed"):
        write_schemas(root)


def test_a_changed_released_file_is_noticed(tmp_path: Path) -> None:
    root, old = _released_with(tmp_path, lambda _: None)
    schema_file(root, Family.EVENTS, "RefundIssued", 1).write_text(old + " ")
    with pytest.raises(ValueError, match="is released and was changed"):
        write_schemas(root)


def test_a_type_that_the_contract_does_not_know_is_refused() -> None:
    class Odd(Struct, frozen=True, kw_only=True):
        ratio: float

    with pytest.raises(TypeError, match=r"Odd\.ratio: no field may be FloatType"):
        derive(Family.EVENTS, Odd)


def test_a_unit_that_the_contract_does_not_know_is_refused() -> None:
    class Odd(Struct, frozen=True, kw_only=True):
        weight: Annotated[int, Meta(extra={"unit": "grams"})]

    with pytest.raises(KeyError, match="grams"):
        derive(Family.EVENTS, Odd)


def _field(schema: Any, name: str, *, drop: bool = False) -> Any:
    found = next(field for field in schema["fields"] if field["name"] == name)
    if drop:
        schema["fields"].remove(found)
    return found


FAULTS: dict[str, tuple[Any, str]] = {
    "a money field removed": (
        lambda s: _field(s, "fee", drop=True),
        "money field RefundIssued.fee was removed",
    ),
    "a money field renamed": (
        lambda s: _field(s, "fee").update(name="charge", default=0),
        "money field RefundIssued.fee was removed",
    ),
    "a money field of another type": (
        lambda s: _field(s, "fee").update(type="int"),
        "field RefundIssued.fee changed its type",
    ),
    "a money field in another unit": (
        lambda s: _field(s, "fee").update(doc="US cents"),
        "money field RefundIssued.fee changed its doc",
    ),
    "a money field inside a nested record": (
        lambda s: _field(_field(s, "parts")["type"], "cash").update(doc="yen"),
        "money field Parts.cash changed its doc",
    ),
    "a record with money dropped": (
        lambda s: _field(s, "parts", drop=True),
        "money field Parts.cash was removed",
    ),
    "a number that turns into money": (
        lambda s: _field(s, "refund_id").update(doc="US cents"),
        "money field RefundIssued.refund_id changed its doc",
    ),
    "an added field without a default": (
        lambda s: s["fields"].append({"name": "note", "type": "string"}),
        "added field RefundIssued.note has no default",
    ),
    "an enum symbol lost": (
        lambda s: _field(s, "rule")["type"]["symbols"].pop(),
        "enum RefundRule lost or reordered symbols",
    ),
    "a default lost": (
        lambda s: _field(s, "cap").pop("default"),
        "field RefundIssued.cap lost its default",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_compatibility_gate_finds(fault: str) -> None:
    plant, expected = FAULTS[fault]
    older = derive(Family.EVENTS, RefundIssued)
    newer = copy.deepcopy(older)
    plant(newer)
    assert expected in breaches(older, newer)


def test_the_compatibility_gate_lets_a_field_with_a_default_pass() -> None:
    older = derive(Family.EVENTS, RefundIssued)
    newer = copy.deepcopy(older)
    newer["fields"].append({"name": "note", "type": ["null", "string"], "default": None})
    _field(newer, "rule")["type"]["symbols"].append("GOODWILL")
    assert breaches(older, newer) == ()


def _released_with(tmp_path: Path, change: Any) -> tuple[Path, str]:
    """A fresh schema folder whose RefundIssued was released after the change."""
    (tmp_path / "released.toml").write_text("[digests]\n")
    write_schemas(tmp_path)
    path = schema_file(tmp_path, Family.EVENTS, "RefundIssued", 1)
    schema = json.loads(path.read_text())
    change(schema)
    path.write_text(as_text(schema))
    digest = sha256(path.read_bytes()).hexdigest()
    (tmp_path / "released.toml").write_text(f'[digests]\n"events/RefundIssued/1" = "{digest}"\n')
    return tmp_path, path.read_text()


def _fingerprint(schema: Any) -> str:
    return str(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))
