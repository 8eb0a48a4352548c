"""Quotes as the pages show them: found by the command that asked, and how long they still count."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from console.web.pages.acting.act_page import ActPage
from console.web.pages.acting.visit import Visit
from ledger.vocabulary.commands import (
    Command,
    QuoteInstanceDowngrade,
    QuoteInstanceReturn,
    QuoteReservationExchange,
    QuoteReservationRefund,
)
from ledger.vocabulary.events import (
    CommandRefused,
    InstanceDowngradeQuoted,
    InstanceReturnQuoted,
    ReservationExchangeQuoted,
    ReservationRefundQuoted,
)
from ledger.vocabulary.fields import fields_of
from ledger.wire.json.mapping import value_to_json
from projector.asking.histories import present, story

Json = dict[str, Any]
Quoted = (
    InstanceReturnQuoted
    | InstanceDowngradeQuoted
    | ReservationRefundQuoted
    | ReservationExchangeQuoted
)
_ANSWERS: dict[type[Command], type[Quoted]] = {
    QuoteInstanceReturn: InstanceReturnQuoted,
    QuoteInstanceDowngrade: InstanceDowngradeQuoted,
    QuoteReservationRefund: ReservationRefundQuoted,
    QuoteReservationExchange: ReservationExchangeQuoted,
}


class ShownQuote(Struct, frozen=True, kw_only=True):
    """A quote, by the command that asked. `body` is the event in JSON: amounts as texts."""

    command_id: str
    body: Json
    expired: bool

    @property
    def violations(self) -> list[Json]:
        """Every rule that stands in the way."""
        found: list[Json] = self.body.get("violations", [])
        return found

    def asked(self, page: ActPage) -> Json:
        """What was asked, to be asked again."""
        names = [field.name for field in fields_of(page.asked)]
        return {name: self.body[name] for name in names if name in self.body}

    def acting(self, page: ActPage) -> Json:
        """What the act repeats of the quote."""
        names = [field.name for field in fields_of(page.act)]
        return {name: self.body[name] for name in names if name in self.body}


class Refused(Struct, frozen=True, kw_only=True):
    """The command that asked was refused itself."""

    violations: list[Json]


def quote_of(visit: Visit, command_id: str) -> ShownQuote | Refused | None:
    """The answer to a quote command of this act; None while there is none."""
    with visit.backend.connection() as connection:
        own = story(connection, visit.account_id, command_id).own
        now = present(connection)
    if not own or visit.page.quote is None:
        return None
    body = own[0].body
    if isinstance(body, CommandRefused):
        return Refused(violations=value_to_json(body)["violations"])
    if not isinstance(body, _ANSWERS[visit.page.quote]):
        return None
    return ShownQuote(
        command_id=command_id, body=value_to_json(body), expired=now > body.expires_at
    )
