"""Reads a file of commands, one JSON object per line, and checks all before anything is sent.

{"at": "2026-01-05T08:00:00Z", "command": "ReturnInstance", "id": "c-7", "account": "acct-1",
 "actor": {"id": "u-1", "role": "OWNER"}, "body": {"instance_id": "i-1",
 "quote_id": {"quote_of": "c-6"}, "acknowledged": true,
 "confirmed_amount": {"amount_of": "c-6"}}}
{"at": "2026-01-13T00:00:00Z", "command": "AdvanceClock"}

A line may refer to a result of an earlier command of its account, whose id is not known yet:
{"quote_of": ID}, {"amount_of": ID}, {"refund_of": ID} (of an exchange with "leg": N, from 1),
{"request_of": ID}, {"isolation_of": ID}.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from ledger.values.instants import Instant, format_instant, parse_instant
from ledger.values.money import CURRENCY_DIGITS, Currency, parse_decimal12
from ledger.values.wording import Wording, seen, worded
from ledger.vocabulary.commands import COMMANDS, Command, OpenAccount, QuoteCommand
from ledger.vocabulary.envelope import CommandMeta, GivenCommand
from ledger.vocabulary.fields import fields_of
from ledger.vocabulary.shapes import Actor, Role
from ledger.vocabulary.validation import problems_of
from ledger.wire.json.command_lines import (
    ADVANCE_CLOCK,
    REFERENCES,
    AdvanceClock,
    CommandFile,
    CommandFileProblem,
    CommandLine,
    Named,
    Reference,
)
from ledger.wire.json.lines import JsonLine, json_lines
from ledger.wire.json.reading import (
    MOST_PROBLEMS,
    one_of,
    or_near,
    read_command_body,
    shown,
)

_QUOTES = frozenset(kind.__name__ for kind in QuoteCommand.__args__)
_OF_A_QUOTE = frozenset({"quote_of", "amount_of"})
_UNKNOWN_YET = "not known yet"
"""Used in place of an id until its command is decided."""
_LINE_FIELDS = ("at", "command", "id", "account", "actor", "body")


def read_command_file(
    content: bytes,
    *,
    require_at: bool,
    known_currencies: Mapping[str, Currency] | None = None,
) -> CommandFile:
    """All lines, and all problems of the file.

    `require_at`: for a simulation or a sandbox every line must have an instant; otherwise no line
    may have one. `known_currencies`: account → currency in the running ledger. It comes before the
    `OpenAccount` lines of the file, and the first currency of an account counts.
    """
    found = list(
        read_commands(json_lines(content), require_at=require_at, known_currencies=known_currencies)
    )
    return CommandFile(
        lines=tuple(each for each in found if not isinstance(each, CommandFileProblem)),
        problems=tuple(each for each in found if isinstance(each, CommandFileProblem)),
    )


def read_commands(
    lines: Iterable[JsonLine],
    *,
    require_at: bool,
    known_currencies: Mapping[str, Currency] | None = None,
    referred: Container[Named] | None = None,
) -> Iterator[CommandLine | AdvanceClock | CommandFileProblem]:
    """The same, line by line: what each is, or everything that is wrong with it.

    `referred`: the commands that lines refer to, where that is known; only those are remembered.
    """
    reader = _Reader(require_at, known_currencies or {}, referred)
    for line in lines:
        yield from reader.take(line)


class _Reader:
    """Reads line after line, and stores what later lines may refer to."""

    def __init__(
        self,
        require_at: bool,
        currencies: Mapping[str, Currency],
        referred: Container[Named] | None,
    ) -> None:
        self.require_at = require_at
        self.currencies = dict(currencies)
        self.referred = referred
        self.quoted: set[Named] = set()
        self.given: set[Named] = set()
        self.last_at: Instant | None = None
        self.lines: list[CommandLine | AdvanceClock] = []
        self.problems: list[CommandFileProblem] = []
        self.number = 0

    def take(self, line: JsonLine) -> Iterator[CommandLine | AdvanceClock | CommandFileProblem]:
        self.number = line.number
        if line.value is None:
            self._fail("", line.found, line.expected)
        else:
            self._take(line.value)
        yield from self.problems
        yield from self.lines
        self.problems.clear()
        self.lines.clear()

    def _take(self, raw: Mapping[str, Any]) -> None:
        name = raw.get("command")
        at = self._at(raw)
        if name == ADVANCE_CLOCK:
            self._advance(raw, at)
        elif self._is_command(name):
            self._command(COMMANDS[str(name)], raw, at)

    def _advance(self, raw: Mapping[str, Any], at: Instant | None) -> None:
        self._no_unknown(raw, ("at", "command"))
        if not self.require_at:
            self._fail(
                "command",
                ADVANCE_CLOCK,
                worded("a command: only a sandbox's clock can be advanced"),
            )
        elif at is not None:
            self.lines.append(AdvanceClock(line_number=self.number, at=at))

    def _is_command(self, name: object) -> bool:
        if name is None:
            self._fail("command", seen("nothing"), worded("the name of a command"))
        elif not isinstance(name, str) or name not in COMMANDS:
            known = [*COMMANDS, ADVANCE_CLOCK]
            expected = or_near(worded("a known command"), str(name), known)
            self._fail("command", shown(name), expected)
        else:
            return True
        return False

    def _at(self, raw: Mapping[str, Any]) -> Instant | None:
        text = raw.get("at")
        if not self.require_at:
            if text is not None:
                none = worded("nothing: only a sandbox takes instants from a file")
                self._fail("at", shown(text), none)
            return None
        if not isinstance(text, str):
            every = worded('an instant such as "2026-01-05T08:00:00Z" on every line')
            self._fail("at", _shown(text), every)
            return None
        try:
            at = parse_instant(text)
        except ValueError:
            self._fail("at", shown(text), worded('an instant such as "2026-01-05T08:00:00Z"'))
            return None
        if self.last_at is not None and at < self.last_at:
            limit = format_instant(self.last_at)
            later = worded("{limit} or later: lines are in time order", limit=limit)
            self._fail("at", shown(text), later)
        self.last_at = max(at, self.last_at or at)
        return at

    def _command(self, kind: type[Command], raw: Mapping[str, Any], at: Instant | None) -> None:
        self._no_unknown(raw, _LINE_FIELDS)
        command_id, account = self._text(raw, "id"), self._text(raw, "account")
        actor = self._actor(raw.get("actor"))
        currency = self._currency_for(kind, account)
        raw_body, references = self._references(kind, raw.get("body"), account)
        self._remember(kind, raw.get("body"), account, command_id)
        body, wrong = read_command_body(kind, raw_body, currency)
        for problem in wrong:
            field = f"body.{problem.path}" if problem.path else "body"
            self._fail(field, problem.value, problem.expected)
        if body is None or actor is None or command_id is None or account is None:
            return
        currency = getattr(body, "currency", None) or currency
        if "confirmed_amount" in references and currency is None:
            found = shown(raw["body"]["confirmed_amount"])
            expected = worded("the account's currency to be known, from an OpenAccount line above")
            self._fail("body.confirmed_amount", found, expected)
        meta = CommandMeta(command_id=command_id, account_id=account, actor=actor)
        command = GivenCommand(meta=meta, body=body)
        self._judge(command, raw)
        if not self.problems:
            self.lines.append(
                CommandLine(
                    line_number=self.number,
                    at=at,
                    command=command,
                    references=references,
                    currency=currency,
                )
            )

    def _currency_for(self, kind: type[Command], account: str | None) -> Currency | None:
        return None if account is None or kind is OpenAccount else self.currencies.get(account)

    def _references(
        self, kind: type[Command], body: object, account: str | None
    ) -> tuple[object, dict[str, Reference]]:
        """The body with its references removed or replaced, and the references by field."""
        if not isinstance(body, Mapping):
            return ({} if body is None else body), {}
        fields = {field.name: field for field in fields_of(kind)}
        found: dict[str, Reference] = {}
        for name, word in REFERENCES.items():
            value = body.get(name)
            if name in fields and isinstance(value, Mapping) and word in value:
                self._check_reference(f"body.{name}", word, value, account)
                leg = value.get("leg", 1)
                number = leg if isinstance(leg, int) else 1
                found[name] = Reference(word=word, of=str(value[word]), leg=number)
        left = {name: value for name, value in body.items() if name not in found}
        stand_ins = {name: _UNKNOWN_YET for name in found if fields[name].required}
        return left | stand_ins, found

    def _check_reference(
        self, field: str, word: str, value: Mapping[str, Any], account: str | None
    ) -> None:
        leg = value.get("leg", 1) if word == "refund_of" else 1
        known = {word, "leg"} if word == "refund_of" else {word}
        there = self.quoted if word in _OF_A_QUOTE else self.given
        counted = isinstance(leg, int) and not isinstance(leg, bool) and leg >= 1
        if set(value) <= known and counted and (account, str(value[word])) in there:
            return
        self._fail(field, shown(value), _reference(word))

    def _remember(
        self, kind: type[Command], body: object, account: str | None, command_id: str | None
    ) -> None:
        """Store what later lines may refer to, even if this line has problems."""
        if account is None or command_id is None:
            return
        named = (account, command_id)
        if self.referred is None or named in self.referred:
            self.given.add(named)
            if kind.__name__ in _QUOTES:
                self.quoted.add(named)
        currency = body.get("currency") if isinstance(body, Mapping) else None
        if kind is OpenAccount and isinstance(currency, str) and currency in CURRENCY_DIGITS:
            self.currencies.setdefault(account, currency)

    def _judge(self, command: GivenCommand, raw: Mapping[str, Any]) -> None:
        names = {"meta.command_id": "id", "meta.account_id": "account", "meta.actor.id": "actor.id"}
        for problem in problems_of(command):
            field = names.get(problem.path, f"body.{problem.path}")
            found = _at_path(raw, field)
            self._fail(field, problem.value if found is None else shown(found), problem.expected)
        rate = getattr(command.body, "usd_rate", None)
        in_dollars = self.currencies.get(command.meta.account_id) == "USD"
        if rate is not None and in_dollars and not _is_one(rate):
            self._fail("body.usd_rate", shown(rate), worded('"1": the account is in USD'))

    def _actor(self, raw: object) -> Actor | None:
        if not isinstance(raw, Mapping):
            expected = worded('an actor such as {{"id": "u-1", "role": "OWNER"}}')
            self._fail("actor", _shown(raw), expected)
            return None
        self._no_unknown(raw, ("id", "role"), "actor.")
        who = self._text(raw, "id", "actor.")
        roles = [role.value for role in Role]
        if raw.get("role") not in roles:
            self._fail("actor.role", _shown(raw.get("role")), one_of(roles))
            return None
        return Actor(id=who, role=Role(raw["role"])) if who is not None else None

    def _text(self, raw: Mapping[str, Any], name: str, prefix: str = "") -> str | None:
        value = raw.get(name)
        if isinstance(value, str):
            return value
        self._fail(f"{prefix}{name}", _shown(value), worded("a string"))
        return None

    def _no_unknown(self, raw: Mapping[str, Any], known: tuple[str, ...], prefix: str = "") -> None:
        for name in raw:
            if name not in known and len(self.problems) < MOST_PROBLEMS:
                self._fail(f"{prefix}{name}", seen("unknown field"), one_of(known, name))

    def _fail(self, field: str, found: str, expected: Wording) -> None:
        self.problems.append(
            CommandFileProblem(line=self.number, field=field, found=found, expected=expected)
        )


def _reference(word: str) -> Wording:
    if word in _OF_A_QUOTE:
        return worded(
            '{{"{word}": ID}} with the id of a quote command above, of the same account', word=word
        )
    if word == "refund_of":
        return worded(
            '{{"{word}": ID}} with the id of a command above, of the same account, '
            'and "leg": N from 1 of an exchange',
            word=word,
        )
    return worded('{{"{word}": ID}} with the id of a command above, of the same account', word=word)


def _shown(value: object) -> str:
    return seen("nothing") if value is None else shown(value)


def _is_one(rate: str) -> bool:
    try:
        return parse_decimal12(rate) == 1
    except ValueError:
        return True  # already reported as a bad decimal


def _at_path(raw: Any, path: str) -> Any:
    """The raw JSON value at a path like `body.lines[0].paid`; None if there is none."""
    for step in path.replace("[", ".").replace("]", "").split("."):
        if isinstance(raw, Mapping):
            raw = raw.get(step)
        elif isinstance(raw, list) and step.isdecimal() and int(step) < len(raw):
            raw = raw[int(step)]
        else:
            return None
    return raw
