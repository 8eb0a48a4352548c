"""An interactive session with the running ledger: one command after the other."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from console.commands.submit import known_currencies, outcomes_of
from console.explaining.as_text import explanation_told
from console.explaining.event_sources import Found, entry_of
from console.explaining.explanation import explained
from console.running.ledger_locator import Ledger, connected, find_ledger, is_sandbox
from console.running.origins.own_signature import signing_of
from console.running.settings import read_settings
from console.running.terms_files import terms_in_force
from console.sealing.giving import sealing_with
from console.sealing.master_key import master_key
from console.submitting.command_files import read_lines
from console.submitting.live_listener import Listener, shown
from console.submitting.outcomes import Kind, LineOutcome, outcome_to_json, outcome_told
from console.terminal.errors import Failed
from console.terminal.output import json_line
from consumers.clock import SandboxClock
from ledger.values.instants import format_instant
from ledger.wire.json.mapping import value_to_json

_SHOWN_SECONDS = 10.0
_ASKED = Path("what was asked")

Json = dict[str, Any]


class Session:
    """Gives commands for one person and shows their outcomes."""

    def __init__(self, ledger: Ledger, connection: Any, listener: Listener, given_by: Json) -> None:
        self._ledger = ledger
        self._connection = connection
        self._listener = listener
        self._given_by = given_by
        self._sandbox = is_sandbox(connection)
        self._seal = sealing_with(connection, master_key(read_settings()))
        self._currencies = known_currencies(connection, listener, [given_by["account"]])

    def give(self, name: str, body: Json) -> LineOutcome:
        """Publish a command with a new id, and wait for its outcome."""
        line = {"command": name, "id": f"desk-{uuid.uuid4()}", **self._given_by, "body": body}
        if self._sandbox:
            line["at"] = format_instant(SandboxClock(self._connection).now())
        lines = read_lines(
            _ASKED,
            json.dumps(line).encode(),
            require_at=self._sandbox,
            known_currencies=self._currencies,
        )
        found = list(
            outcomes_of(self._connection, self._listener, lines, self._seal, sandbox=self._sandbox)
        )
        shown(self._connection, self._listener.positions, _SHOWN_SECONDS)
        for each in found:
            if isinstance(each, LineOutcome):
                return each
        raise Failed(f"{name} was published, but has no outcome yet; see 'refundctl status'")

    def offer(self, quoted: LineOutcome) -> Json | None:
        """The quote; None if there is none, or if acting on it would violate a rule."""
        return value_to_json(quoted.events[0].body) if self.well(quoted) else None

    def acceptance(self, offer: Json) -> Json:
        """The additional fields of a command that acts on the quote."""
        return {
            "quote_id": offer["quote_id"],
            "confirmed_amount": offer["amount"],
            "acknowledged": True,
        }

    def quote_told(self, quoted: LineOutcome) -> str:
        """The quote with its working and its expiry; or why there is none."""
        if quoted.kind is not Kind.ACCEPTED:
            return outcome_told(quoted)
        entries = tuple(entry_of(event) for event in quoted.events)
        key = (quoted.line.account, quoted.line.id)
        body = {"command": quoted.line.name, **value_to_json(quoted.line.command.body)}
        table = terms_in_force(self._ledger)
        told = explained(Found(entries=entries, commands={key: body}), key[1], key[0], table)
        lines = [explanation_told(told), ""]
        offer = self.offer(quoted)
        if offer is None:
            lines.append("at present the command would be refused; see the violated rules above")
        else:
            amount = f"{offer['amount']} {offer['currency']}"
            lines.append(f"the quote is {amount} and is valid until {offer['expires_at']}")
        return "\n".join(lines)

    def act_told(self, done: LineOutcome) -> str:
        """The outcome of the act."""
        told = outcome_told(done)
        if done.kind is Kind.ACCEPTED:
            account = done.line.account
            told += f"\nsee why with: refundctl explain {done.line.id} --account {account}"
        return told

    def both_to_json(self, quoted: LineOutcome, done: LineOutcome | None) -> str:
        """Both outcomes as one JSON object."""
        act = None if done is None else outcome_to_json(done)
        return json_line({"quote": outcome_to_json(quoted), "act": act})

    def well(self, outcome: LineOutcome) -> bool:
        """Whether it was accepted; a quote that lists violations does not count."""
        return outcome.kind is Kind.ACCEPTED and not any(
            getattr(event.body, "violations", ()) for event in outcome.events
        )


@contextmanager
def session(*, account: str, actor: str, role: str) -> Iterator[Session]:
    """A session with the running ledger."""
    from console.terminal.log_output import log_to_stderr

    log_to_stderr("error", json=False)
    ledger = find_ledger(read_settings())
    with connected(ledger.database_url) as connection:
        listener = Listener(ledger.kafka, signing_of(ledger))
        try:
            given_by = {"account": account, "actor": {"id": actor, "role": role}}
            yield Session(ledger, connection, listener, given_by)
        finally:
            listener.close()
