"""Every word of a page is there in Chinese too, and the catalogues have no others."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import NamedTuple, get_args

import pytest
from fastapi.testclient import TestClient
from msgspec import Struct

from console.web.api.openapi import GIVEN_BY_PEOPLE
from console.web.pages.rendering.environment import TEMPLATES, Look, environment
from console.web.pages.rendering.languages import catalogues, messages
from console.web.pages.rendering.sayings import OF_EXPECTED, OF_FOUND, OF_RULES
from console.web.pages.rendering.tables import words_of, words_of_list
from ledger.policies.existence_and_state import Noun
from ledger.policies.quote_comparison import Compared
from ledger.rulebook import RULES
from ledger.state import entities
from ledger.values.refusal import Code
from ledger.vocabulary import commands, events, shapes
from ledger.vocabulary.fields import Items, Record, fields_of
from ledger.vocabulary.shapes import Shape
from ledger.vocabulary.words import sentence_of
from projector.questions import QUESTIONS
from tests.house.tree import ROOT

WEB = ROOT / "src" / "console" / "web"
PLACES = {"N_": 0, "Problem": 1}
"""Function → which of its arguments is a word."""
NAMES_ALONE = frozenset({"API", "CSP", "EA", "SAAS"})
OF_VIEWS = frozenset(
    {"ISOLATED_ANEW", "APPROVED", "DECLINED", "REQUESTED", "RESTORED", "WITHDRAWN"}
)
"""States that only a view has."""
CHINESE = re.compile(r"[\u4e00-\u9fff]|^HTTP API$")
VALUES = re.compile(r"%\(\w+\)s|\{\w+\}")
""" `%(name)s` in the words of templates, `{name}` in sentences."""
SPREAD = frozenset(
    {
        ("act_on_a_quote.py", "quote_changed"),  # each of `Compared`
        ("actor.py", "_not_their_purchase"),  # buyer or vendor
        ("existence_and_state.py", "_existing"),  # a `Noun`
        ("existence_and_state.py", "_missing"),
    }
)
"""Where a violation has figures whose names do not stand in the call."""
OF_SENTENCES = (
    "account", "buyer", "commitment term", "instance", "opening position", "order",
    "original payment", "purchase", "quote", "refund", "reservation", "upgrade", "vendor",
)  # fmt: skip
"""What sentences name beside the words of the vocabulary: things, parties, funds, lines."""


def of_templates() -> Iterator[tuple[str, str]]:
    """Every marked word of every template."""
    parsing = environment("en", Look())
    for path in sorted(TEMPLATES.rglob("*.html")):
        found = parsing.extract_translations(path.read_text("utf-8"))  # type: ignore[attr-defined]
        for _, _, told in found:
            yield told if isinstance(told, str) else str(told[0]), path.name


def of_programs() -> Iterator[tuple[str, str]]:
    """Every marked word of a module, and every title of a problem."""
    for path in sorted(WEB.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            place = PLACES.get(node.func.id)
            if place is None or len(node.args) <= place:
                continue
            said = node.args[place]
            if isinstance(said, ast.Constant) and isinstance(said.value, str):
                yield said.value, path.name


def of_the_vocabulary() -> Iterator[tuple[str, str]]:
    """What a page shows by the filter `word`: lists, columns, commands, events, codes."""
    yield from (("yes", "a flag"), ("no", "a flag"))
    for question in QUESTIONS.values():
        yield words_of_list(question.name), "a list"
        yield question.about, "a list"
        yield from ((words_of(column.name), question.name) for column in question.columns)
    for module in (commands, events):
        for name, value in vars(module).items():
            if inspect.isclass(value) and issubclass(value, Shape) and value is not Shape:
                if value.__module__.startswith("ledger.vocabulary.shapes"):
                    continue
                yield name, module.__name__
    for name in GIVEN_BY_PEOPLE:
        for told in _fields_of(commands.COMMANDS[name]):
            yield words_of(told.name), name
            yield told.help, name
    for module in (shapes, entities):
        for value in vars(module).values():
            if inspect.isclass(value) and issubclass(value, Enum) and value is not Enum:
                yield from ((str(each.value), module.__name__) for each in value)
    yield from ((each, "a view") for each in OF_VIEWS)


def _extracted(folder: Path, function: str) -> Iterator[str]:
    """What is given to a function in the modules of a folder; it must stand there as it is."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            if function in {getattr(node.func, "id", ""), getattr(node.func, "attr", "")}:
                (words,) = node.args
                assert isinstance(words, ast.Constant), (path, node.lineno)
                yield str(words.value)


POLICIES = ROOT / "src" / "ledger" / "policies"
SENTENCES = {
    OF_RULES: set(_extracted(POLICIES, "Said")),
    OF_EXPECTED: set(_extracted(ROOT / "src", "worded")),
    OF_FOUND: set(_extracted(ROOT / "src", "seen")),
}
"""Catalogue → the sentences it must have: of violated rules, and of fields that cannot be taken."""


def of_figures() -> set[str]:
    """The name of every figure of a violated rule."""
    found = set(get_args(Noun)) | {"buyer", "vendor"}
    found |= {f"{name}_{which}" for name in get_args(Compared) for which in ("quoted", "now")}
    for path in sorted(POLICIES.glob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        functions = [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)]
        takers = {each.name for each in functions if each.args.kwarg} | {"violation"}
        for function in functions:
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in takers:
                    found |= set(_keywords(path, function, node))
    return found


def _keywords(path: Path, function: ast.FunctionDef, call: ast.Call) -> Iterator[str]:
    """The names in a call. What is spread in it is known, or is what the function was given."""
    for each in call.keywords:
        if each.arg is not None:
            yield each.arg
        elif function.args.kwarg is None:
            assert (path.name, function.name) in SPREAD, (path, call.lineno)


def of_sentences() -> Iterator[tuple[str, str]]:
    """Every sentence of a rule and of an event, and the words in them."""
    for catalogue, sentences in SENTENCES.items():
        yield from ((each, catalogue) for each in sentences)
    yield from ((words_of(each), "a figure") for each in of_figures())
    yield from ((each, "console") for each in _extracted(ROOT / "src" / "console", "said"))
    yield from ((each, "a code") for each in Code)
    for rule in RULES.values():
        yield from ((rule.says, rule.name), (rule.source, rule.name))
    yield from ((each, "a sentence") for each in OF_SENTENCES)


class _Told(NamedTuple):
    """What the form of a command shows of a field."""

    name: str
    help: str


def _fields_of(shape: type[Struct]) -> Iterator[_Told]:
    """The fields of a command's form, those of its records too."""
    for field in fields_of(shape):
        yield _Told(field.name, sentence_of(shape.__name__, field.name))
        kind = field.kind.of if isinstance(field.kind, Items) else field.kind
        if isinstance(kind, Record):
            yield from _fields_of(kind.shape)


def spoken() -> dict[str, str]:
    """Every word that a page can show → where."""
    every = (*of_templates(), *of_programs(), *of_the_vocabulary(), *of_sentences())
    return {word: place for word, place in every if word not in NAMES_ALONE}


def translated() -> dict[str, tuple[str, Path]]:
    """Every word of the Chinese catalogues, its translation, its file."""
    found: dict[str, tuple[str, Path]] = {}
    for path in catalogues("zh"):
        for message in messages(path):
            before = found.get(str(message.id))
            assert before is None or before[0] == message.string, (message.id, before, path)
            found[str(message.id)] = str(message.string), path
    return found


def test_every_word_has_its_chinese() -> None:
    known = translated()
    lacking = {word: place for word, place in spoken().items() if word not in known}
    assert not lacking, "add them to a file of pages/rendering/words/zh"
    plain = [word for word, (text, _) in known.items() if not CHINESE.search(text)]
    assert not [word for word in plain if re.search("[A-Za-z]", VALUES.sub("", word))]


def test_no_catalogue_has_a_word_that_no_page_shows() -> None:
    shown = spoken()
    unused = {word: path.name for word, (_, path) in translated().items() if word not in shown}
    assert not unused


def test_a_translation_names_the_same_values() -> None:
    for word, (text, path) in translated().items():
        assert sorted(VALUES.findall(word)) == sorted(VALUES.findall(text)), (word, path)
        assert "%" not in VALUES.sub("", text) or "%(" not in word, (word, path)


@pytest.mark.parametrize("catalogue", SENTENCES)
def test_sentences_that_are_found_again_are_in_a_catalogue_of_their_own(catalogue: str) -> None:
    (path,) = [each for each in catalogues("zh") if each.name == catalogue]
    assert {str(each.id) for each in messages(path)} == SENTENCES[catalogue]


def test_no_template_has_a_word_that_is_not_marked() -> None:
    said = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
    tags = re.compile(r"<code>.*?</code>|<[^>]*>", re.DOTALL)
    for path in sorted(TEMPLATES.rglob("*.html")):
        left = tags.sub(" ", said.sub(" ", path.read_text("utf-8")))
        assert not re.search(r"[A-Za-z]{2,}", left), (path, left.split())


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("de", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"),
        ("en-US,en;q=0.9,zh;q=0.5", "en"),
        ("zh;q=0.1, en;q=0.9", "en"),
        ("zh;q=many,,;", "en"),
    ],
)
def test_a_page_speaks_as_the_browser_asks(
    client: TestClient, accepted: str, language: str
) -> None:
    told = client.get("/signin", headers={"Accept-Language": accepted}).text
    assert f'<html lang="{language}"' in told


def test_the_address_chooses_a_language_and_colours_which_stay(client: TestClient) -> None:
    first = client.get("/signin", params={"lang": "zh", "theme": "dark"})
    assert 'lang="zh-Hans" data-theme="dark"' in first.text
    assert "登录" in first.text
    assert "退款账本" in client.get("/signin").text
    client.cookies.clear()
    unknown = client.get("/signin", params={"lang": "tlh", "theme": "pink"}).text
    assert '<html lang="en" data-theme="auto"' in unknown
    client.cookies.clear()
