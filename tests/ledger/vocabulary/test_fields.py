"""A value class that the ledger could not write down is a bug, told by the name of the field."""

from __future__ import annotations

import pytest
from msgspec import Struct, field

from ledger.vocabulary.commands import COMMANDS
from ledger.vocabulary.envelope import CommandMeta, EventMeta
from ledger.vocabulary.events import EVENTS
from ledger.vocabulary.fields import fields_of


class TwoKinds(Struct):
    amount: int | str


class OptionalWithoutNone(Struct):
    amount: int | None = 0


class MadeAnew(Struct):
    names: list[str] = field(default_factory=list)


class Fraction(Struct):
    share: float


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (TwoKinds, "TwoKinds.amount: the only union is `X | None = None`"),
        (OptionalWithoutNone, "OptionalWithoutNone.amount: the only union is"),
        (MadeAnew, "MadeAnew.names: a default must be an immutable value"),
        (Fraction, "Fraction.share: no field may be FloatType"),
    ],
)
def test_a_field_of_no_kind_we_know_is_told_by_its_name(shape: type[Struct], words: str) -> None:
    with pytest.raises(TypeError, match=words.replace("|", r"\|")):
        fields_of(shape)


@pytest.mark.parametrize("shape", [*COMMANDS.values(), *EVENTS.values(), CommandMeta, EventMeta])
def test_every_field_of_the_vocabulary_is_of_a_kind_we_know(shape: type[Struct]) -> None:
    assert [field.name for field in fields_of(shape)] == list(shape.__struct_fields__)


def test_what_is_no_value_class_is_told() -> None:
    with pytest.raises(TypeError, match="int is not a value class"):
        fields_of(int)
