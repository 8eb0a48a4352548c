"""The fields of every command: shown, filled, read again as they were."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.web.api.openapi import GIVEN_BY_PEOPLE, examples
from console.web.pages.acting.acts import ACTS
from console.web.pages.acting.forms.reading import body_of, flat
from console.web.pages.acting.forms.showing import Control, Filled, controls_of
from ledger.vocabulary.commands import COMMANDS, OpenAccount, RecordInstanceOrder
from ledger.vocabulary.fields import Flag, fields_of


def paths_of(controls: tuple[Control, ...]) -> dict[str, str]:
    """Every field of a form with its value."""
    found: dict[str, str] = {}
    for each in controls:
        found |= paths_of(each.parts) if each.parts else {each.path: each.value}
    return found


@pytest.mark.parametrize("name", GIVEN_BY_PEOPLE)
def test_a_body_survives_its_form(name: str) -> None:
    kind, body = COMMANDS[name], examples()[name]
    shown = paths_of(controls_of(kind, body, Filled()))
    read = body_of(kind, shown)
    flags = {each.name: False for each in fields_of(kind) if isinstance(each.kind, Flag)}
    assert read == body_of(kind, dict(flat(body))) == {**flags, **body}


@pytest.mark.parametrize("name", GIVEN_BY_PEOPLE)
def test_every_field_has_its_help(name: str) -> None:
    def without_help(controls: tuple[Control, ...]) -> list[str]:
        own = [each.path for each in controls if not each.help and not each.number]
        return own + [path for each in controls for path in without_help(each.parts)]

    page = ACTS[name]
    controls = controls_of(page.asked, {}, Filled(), page.not_typed)
    assert not without_help(controls)


def test_a_list_gets_one_more_item_and_loses_the_empty_ones() -> None:
    body = examples()["RecordInstanceOrder"]
    more = controls_of(RecordInstanceOrder, body, Filled(more="lines[0].components"))
    paths = paths_of(more)
    count = len(body["lines"][0]["components"])
    assert paths[f"lines[0].components[{count}].name"] == ""
    assert body_of(RecordInstanceOrder, paths)["lines"] == body["lines"]


def test_a_fault_stands_at_its_own_field() -> None:
    told: dict[str, Any] = {"lines": [{"paid": {"cash": "much"}}]}
    filled = Filled(faults={"lines[0].paid.cash": "much: an amount"})
    (lines,) = (each for each in controls_of(RecordInstanceOrder, told, filled) if each.parts)
    (paid,) = (each for each in lines.parts[0].parts if each.last == "paid")
    (cash,) = (each for each in paid.parts if each.wrong)
    assert (cash.path, cash.value, cash.wrong) == (
        "lines[0].paid.cash",
        "much",
        "much: an amount",
    )


@given(st.dictionaries(st.text(max_size=30), st.text(max_size=20), max_size=20))
def test_no_field_that_somebody_made_up_is_a_fault_of_ours(form: dict[str, str]) -> None:
    assert body_of(OpenAccount, form).keys() <= {"account_type", "us_government", "currency"}


PATHS = st.from_regex(
    r"(lines|paid|order_id)(\[[0-9]{1,3}\])?(\.(paid|components|cash)(\[[0-9]\])?)?"
)


@given(st.dictionaries(PATHS, st.text(max_size=5), max_size=10))
def test_paths_that_contradict_each_other_are_read_as_far_as_they_go(form: dict[str, str]) -> None:
    body = body_of(RecordInstanceOrder, form)
    assert paths_of(controls_of(RecordInstanceOrder, body, Filled()))
