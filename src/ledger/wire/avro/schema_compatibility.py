"""Checks whether a schema may follow an older one: old records must stay readable and correct."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

MONEY = frozenset({"minor units of `currency`", "millionths of one unit of `currency`", "US cents"})
"""A field with one of these docs is a money field."""


def breaches(older: Schema, newer: Schema) -> tuple[str, ...]:
    """What the newer schema breaks; empty if it may follow.

    A field may be added with a default, and a field that is not money may be removed. No field
    changes its type, no enum loses or reorders symbols, and a money field always keeps its name,
    type and doc.
    """
    before, after = _named(older), _named(newer)
    found: list[str] = []
    for name, definition in before.items():
        successor = after.get(name)
        if successor is None:
            found += [f"money field {name}.{money} was removed" for money in _money(definition)]
        elif definition["type"] != successor["type"]:
            found.append(f"{name} is no longer {definition['type']}")
        elif definition["type"] == "record":
            found += _record_breaches(name, definition, successor)
        else:
            found += _value_breaches(name, definition, successor)
    return tuple(found)


def _record_breaches(name: str, older: Schema, newer: Schema) -> list[str]:
    before = {field["name"]: field for field in older["fields"]}
    after = {field["name"]: field for field in newer["fields"]}
    found = [
        f"added field {name}.{added} has no default"
        for added, field in after.items()
        if added not in before and "default" not in field
    ]
    for field_name, field in before.items():
        successor = after.get(field_name)
        is_money = field.get("doc") in MONEY
        if successor is None:
            found += [f"money field {name}.{field_name} was removed"] if is_money else []
        elif _reference(field["type"]) != _reference(successor["type"]):
            found.append(f"field {name}.{field_name} changed its type")
        elif (is_money or successor.get("doc") in MONEY) and field.get("doc") != successor.get(
            "doc"
        ):
            found.append(f"money field {name}.{field_name} changed its doc")
        elif "default" in field and "default" not in successor:
            found.append(f"field {name}.{field_name} lost its default")
    return found


def _value_breaches(name: str, older: Schema, newer: Schema) -> list[str]:
    if older["type"] == "fixed":
        return [] if older["size"] == newer["size"] else [f"{name} changed its size"]
    kept = newer["symbols"][: len(older["symbols"])]
    return [] if kept == older["symbols"] else [f"enum {name} lost or reordered symbols"]


def _money(definition: Schema) -> list[str]:
    fields = definition.get("fields", [])
    return [field["name"] for field in fields if field.get("doc") in MONEY]


def _named(schema: Any) -> dict[str, Schema]:
    """Every record, enum and fixed that the schema defines, by name."""
    if isinstance(schema, list):
        return {name: found for part in schema for name, found in _named(part).items()}
    if not isinstance(schema, dict):
        return {}
    if schema["type"] == "record":
        inner = _named([field["type"] for field in schema["fields"]])
        return {schema["name"]: schema, **inner}
    if "name" in schema:
        return {schema["name"]: schema}
    return _named([part for key in ("items", "values") if (part := schema.get(key))])


def _reference(kind: Any) -> Any:
    """A type with every definition replaced by its name, because only the first use defines it."""
    if isinstance(kind, list):
        return [_reference(part) for part in kind]
    if not isinstance(kind, dict):
        return kind
    if "name" in kind:
        return kind["name"]
    return {key: _reference(part) for key, part in kind.items()}
