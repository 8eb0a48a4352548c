"""Every command and each of its fields has a sentence."""

from __future__ import annotations

import pytest

from ledger.vocabulary.commands import COMMANDS
from ledger.vocabulary.fields import fields_of
from ledger.vocabulary.words import sentence_of, words


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_each_of_its_fields_has_a_sentence(name: str) -> None:
    told = [sentence_of(name, field.name) for field in fields_of(COMMANDS[name])]
    assert all(each.endswith(".") for each in [words()["commands"][name], *told])


def test_a_record_may_have_a_sentence_of_its_own_for_a_field() -> None:
    place, own = next(iter(words()["own"].items()))
    record, _, field = place.partition(".")
    assert sentence_of(record, field) == own
    assert sentence_of("Another", field) != own
