"""The source of a function while it is written: its lines, and the objects that they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from msgspec import Struct

from ledger.vocabulary.fields import Field, fields_of


class NotCompiled(Exception):
    """A schema or a record that is left to fastavro."""


class Source:
    """The source of a function that will be called `function`."""

    def __init__(self, parameters: str) -> None:
        self._lines = [f"def function({parameters}):"]
        self._depth = 1
        self._objects: dict[str, object] = {"NotCompiled": NotCompiled}
        self._named_types: dict[str, Any] = {}
        self._variables = 0

    def line(self, text: str) -> None:
        """Add a line."""
        self._lines.append("    " * self._depth + text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Add a line that ends in a colon; what is added inside belongs under it."""
        self.line(head)
        self._depth += 1
        yield
        self._depth -= 1

    def variable(self) -> str:
        """A new name."""
        self._variables += 1
        return f"v{self._variables}"

    def name_of(self, thing: object) -> str:
        """The name by which the lines may use an object."""
        for name, known in self._objects.items():
            if known is thing:
                return name
        name = f"object_{len(self._objects)}"
        self._objects[name] = thing
        return name

    def resolved(self, kind: Any) -> Any:
        """A type of the schema: a type that was defined before stands there by its name only."""
        if isinstance(kind, str):
            return self._named_types.get(kind, kind)
        if isinstance(kind, dict) and "name" in kind:
            self._named_types[kind["name"]] = kind
        return kind

    def compiled(self, file_name: str) -> Any:
        """The function."""
        code = compile("\n".join(self._lines), file_name, "exec")
        exec(code, self._objects)  # noqa: S102  # the lines are made of our own schemas only
        return self._objects["function"]


def paired(schema: Mapping[str, Any], shape: type[Struct]) -> Iterator[tuple[Any, Field]]:
    """The type of each field of a record's schema, with the field of the class.

    NotCompiled if a value that is read by the schema may not be one of the class.
    """
    fields = {field.name: field for field in fields_of(shape)}
    in_schema = {field["name"] for field in schema["fields"]}
    if in_schema - fields.keys() or any(
        field.required and name not in in_schema for name, field in fields.items()
    ):
        raise NotCompiled(shape.__name__)
    for field in schema["fields"]:
        yield field["type"], fields[field["name"]]


def without_null(kind: Any, field: Field) -> tuple[bool, Any]:
    """Whether a value may be absent by the schema, and its type if it is not."""
    if not isinstance(kind, list):
        return False, kind
    if len(kind) != 2 or kind[0] != "null" or not field.optional:
        raise NotCompiled(field.name)
    return True, kind[1]
