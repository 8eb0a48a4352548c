"""What is said in Chinese: events; violated rules and faults of fields by the English sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from string import Formatter
from typing import Any

import pytest

from console.rendering.sentences.events import sentence
from console.rendering.sentences.saying import ENGLISH
from console.web.pages.rendering.languages import WORDS, messages
from console.web.pages.rendering.sayings import OF_EXPECTED, OF_FOUND, saying_in
from console.web.pages.rendering.sayings.reasons import Reasons
from ledger.log.seam import Topic
from ledger.values.refusal import Violation
from ledger.vocabulary.commands import Command, QuoteReservationRefund
from ledger.vocabulary.events import EVENTS, Event
from ledger.vocabulary.validation import body_problems
from ledger.wire.avro.codec import decode_event
from ledger.wire.json.mapping import read_command_body
from tests.ledger.rules.common.every_code import OTHERS, STORIES, refused
from tests.ledger.vocabulary.test_validation import WRONG, changed
from tests.ledger.wire.json.test_mapping import BAD
from tests.releases.logs import records_of
from tests.samples import sample, sample_event

CHINESE = saying_in("zh")
ENGLISH_WORDS = re.compile(r"[A-Za-z]{2,} [A-Za-z]{2,}")
"""Two words beside each other: ids and names of fields stand alone."""
EVERY_STORY = {str(name): story for name, story in (*STORIES.items(), *OTHERS.items())}
OF_FIELDS = [
    (said, template, str(each.string))
    for catalogue, said in ((OF_EXPECTED, CHINESE.expected), (OF_FOUND, CHINESE.found))
    for each in messages(WORDS / "zh" / catalogue)
    if (template := str(each.id))
]
SENTENCES = {"what": ("a string", "文本"), "why": ("at most 12 decimals", "最多 12 位小数")}
"""Value that is a sentence → one, and its Chinese."""
REASONS = {"is {state}: {why}": "{state}：{why}", "no {noun} {id} here": "没有{noun} {id}"}
MORE = {"it waits": "等待中", "order": "订单", "OPEN": "未使用"}


def plain(text: str) -> str:
    """A sentence of the test's own language."""
    return (REASONS | MORE).get(text, text)


def said(message: str, **figures: str) -> str:
    """The Chinese of a message, by the templates of the test."""
    return Reasons([*REASONS, "it waits", "{id} is held; give {held}"], plain, "，").said(
        message, figures
    )


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_is_told_in_chinese(name: str) -> None:
    told = sentence(sample_event(EVENTS[name]).body, CHINESE)
    assert re.search(r"[\u4e00-\u9fff]", told)
    assert not ENGLISH_WORDS.search(told), told


@pytest.mark.parametrize("story", EVERY_STORY)
def test_every_code_has_its_reason_in_chinese(story: str) -> None:
    for each in refused(EVERY_STORY[story]):
        assert_in_chinese(each)


def test_what_release_0_1_0_said_is_said_in_chinese() -> None:
    violations = [each for body in bodies_of("0.1.0") for each in getattr(body, "violations", ())]
    assert len(violations) > 5
    for each in violations:
        assert_in_chinese(each)


def test_amounts_and_instants_are_those_of_the_english_sentence() -> None:
    figures = re.compile(r"\d[\d.:-]*\d|\d")
    for body in bodies_of("0.1.0"):
        english, chinese = sentence(body, ENGLISH), sentence(body, CHINESE)
        assert sorted(figures.findall(english)) == sorted(figures.findall(chinese)), english


def test_no_word_is_said_as_nothing() -> None:
    assert CHINESE.word("") == ""
    assert CHINESE.word("original_payment") == CHINESE.word("original payment") == "原支付方式"


def test_a_reason_in_a_reason_is_said_too() -> None:
    assert said("is OPEN: it waits", state="OPEN") == "未使用：等待中"


def test_a_reason_that_nobody_knows_stays_as_it_was_recorded() -> None:
    for message in ("is OPEN: it sleeps", "is OPEN", "", "no order"):
        assert said(message, state="OPEN") == message


def test_a_figure_that_is_not_the_one_in_the_sentence_is_not_taken() -> None:
    assert said("is OPEN: it waits", state="USED") == "is OPEN: it waits"


@pytest.mark.parametrize(
    "thing", ["o-1", "order o-1 here", "{id}", "(?P<id>.*)", "%s", "订单", "\n"]
)
def test_an_id_may_be_anything(thing: str) -> None:
    assert said(f"no order {thing} here", order=thing) == f"没有订单 {thing}"


def test_only_codes_have_words_and_ids_have_none() -> None:
    assert said("no order OPEN here", order="OPEN") == "没有订单 OPEN"


@pytest.mark.parametrize(("said", "template", "translation"), OF_FIELDS)
def test_every_sentence_about_a_field_is_found_again_with_its_values(
    said: Callable[[str], str], template: str, translation: str
) -> None:
    names = {name for _, name, _, _ in Formatter().parse(template) if name}
    told = {name: SENTENCES.get(name, (f"{name}-7", f"{name}-7")) for name in names}
    english = template.format(**{name: values[0] for name, values in told.items()})
    assert said(english) == translation.format(**{name: values[1] for name, values in told.items()})


@pytest.mark.parametrize(("kind", "path", "value"), WRONG)
def test_a_value_that_is_not_possible_is_told_in_chinese(
    kind: type[Command], path: str, value: Any
) -> None:
    for problem in body_problems(changed(sample(kind), path, value)):
        assert_fault_in_chinese(problem.expected)


@pytest.mark.parametrize(("kind", "raw"), [each[:2] for each in BAD])
def test_a_field_that_cannot_be_read_is_told_in_chinese(kind: type[Command], raw: Any) -> None:
    _, problems = read_command_body(kind, raw, "CNY")
    for problem in problems:
        assert_fault_in_chinese(problem.expected)


@pytest.mark.parametrize(
    ("text", "told"),
    [("nothing", "无"), ("3 items", "3 项"), ("a string", "a string"), ('"nothing"', '"nothing"')],
)
def test_of_what_was_found_only_the_words_of_the_ledger_are_told_in_chinese(
    text: str, told: str
) -> None:
    assert CHINESE.found(text) == told


def test_what_was_typed_may_look_like_a_sentence() -> None:
    typed = "5 is beyond {most} a unit (or 7); did you mean 'x'?"
    (problem,) = body_problems(QuoteReservationRefund(reservation_id="r", usd_rate=typed))
    assert CHINESE.expected(problem.expected) == "大于 0 且不超过 100 的小数，最多 12 位小数"
    assert CHINESE.found(problem.value) == problem.value


def assert_fault_in_chinese(expected: str) -> None:
    """What is expected of a field is; names and examples of values are in no language."""
    told = CHINESE.expected(expected)
    assert re.search(r"[\u4e00-\u9fff]", told), told
    assert not ENGLISH_WORDS.search(told), told


def assert_in_chinese(found: Violation) -> None:
    """The code and the reason are."""
    told = CHINESE.because(found.message, found.figures)
    assert told != found.message
    assert not ENGLISH_WORDS.search(told), told
    assert CHINESE.word(found.code) != found.code


def bodies_of(release: str) -> list[Event]:
    """The events of a release's log."""
    return [decode_event(each.value).body for each in records_of(release)[Topic.EVENTS]]
