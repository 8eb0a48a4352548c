"""Describes the fields of a value class: kind, unit, optional or not, default; once per class."""

from __future__ import annotations

from enum import StrEnum
from functools import cache

from msgspec import NODEFAULT, Struct, inspect


class Text(Struct, frozen=True, kw_only=True):
    """A string. The unit is `currency` or `decimal12`, or none."""

    unit: str | None = None


class Number(Struct, frozen=True, kw_only=True):
    """An integer. The unit is `instant`, `day`, `minor`, `micros` or `usd_cents`, or none."""

    unit: str | None = None


class Flag(Struct, frozen=True, kw_only=True):
    """True or false."""


class Digest(Struct, frozen=True, kw_only=True):
    """A SHA-256, 32 bytes."""


class Choice(Struct, frozen=True, kw_only=True):
    """One value from a fixed list."""

    members: type[StrEnum]


class Record(Struct, frozen=True, kw_only=True):
    """Another value with its own fields."""

    shape: type[Struct]


class Items(Struct, frozen=True, kw_only=True):
    """A tuple of one kind."""

    of: Kind


class Texts(Struct, frozen=True, kw_only=True):
    """Strings by name."""


Kind = Text | Number | Flag | Digest | Choice | Record | Items | Texts


class Field(Struct, frozen=True, kw_only=True):
    """One field. `optional` means that None is allowed; `default` is NODEFAULT if there is none."""

    name: str
    kind: Kind
    optional: bool
    default: object

    @property
    def required(self) -> bool:
        """Whether the field must be given."""
        return self.default is NODEFAULT


@cache
def fields_of(shape: type[Struct]) -> tuple[Field, ...]:
    """The fields of a value class, in order. TypeError for a field of an unknown type."""
    described = inspect.type_info(shape)
    if not isinstance(described, inspect.StructType):
        raise TypeError(f"{shape.__name__} is not a value class")
    return tuple(_field(shape, field) for field in described.fields)


def _field(shape: type[Struct], field: inspect.Field) -> Field:
    where = f"{shape.__name__}.{field.name}"
    kind, optional = field.type, False
    if isinstance(kind, inspect.UnionType):
        others = [part for part in kind.types if not isinstance(part, inspect.NoneType)]
        if len(others) != 1 or field.default is not None:
            raise TypeError(f"{where}: the only union is `X | None = None`")
        kind, optional = others[0], True
    if field.default_factory is not NODEFAULT:
        raise TypeError(f"{where}: a default must be an immutable value")
    return Field(name=field.name, kind=_kind(kind, where), optional=optional, default=field.default)


def _kind(described: inspect.Type, where: str, unit: str | None = None) -> Kind:
    match described:
        case inspect.Metadata(type=inner, extra=extra):
            return _kind(inner, where, (extra or {}).get("unit"))
        case inspect.StrType():
            return Text(unit=unit)
        case inspect.IntType():
            return Number(unit=unit)
        case inspect.BoolType():
            return Flag()
        case inspect.BytesType():
            return Digest()
        case inspect.EnumType(cls=members) if issubclass(members, StrEnum):
            return Choice(members=members)
        case inspect.StructType(cls=inner):
            return Record(shape=inner)
        case inspect.VarTupleType(item_type=item):
            return Items(of=_kind(item, where))
        case inspect.DictType(key_type=inspect.StrType(), value_type=inspect.StrType()):
            return Texts()
        case _:
            raise TypeError(f"{where}: no field may be {type(described).__name__}")
