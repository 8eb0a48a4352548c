"""One act as its pages know it: what is asked, about what, and in which steps."""

from __future__ import annotations

from msgspec import Struct

from ledger.vocabulary.commands import Command, ExchangeReservations
from ledger.vocabulary.fields import fields_of
from ledger.vocabulary.shapes import SourceKind
from ledger.wire.json.reading import has_money

_OF_A_QUOTE = frozenset({"quote_id", "acknowledged", "confirmed_amount"})
_THINGS = {
    "instance_id": SourceKind.INSTANCE,
    "purchase_id": SourceKind.MARKETPLACE,
    "reservation_id": SourceKind.RESERVATION,
    "refund_id": None,
}


class ActPage(Struct, frozen=True, kw_only=True):
    """One act. `quote` asks for its amounts first, `twice` asks the person once more after the
    list, `guided` means that it begins with its thing, its rules, and what stands in the way.
    """

    act: type[Command]
    quote: type[Command] | None = None
    twice: bool = False
    guided: bool = True

    @property
    def name(self) -> str:
        """The command's name."""
        return self.act.__name__

    @property
    def asked(self) -> type[Command]:
        """The command whose fields a person fills in."""
        return self.quote or self.act

    @property
    def agrees(self) -> bool:
        """Whether the person must have read and agreed."""
        return any(field.name == "acknowledged" for field in fields_of(self.act))

    @property
    def thing_field(self) -> str | None:
        """The field with the id of what the act is about."""
        names = (field.name for field in fields_of(self.asked))
        return next((name for name in names if name in _THINGS), None)

    @property
    def thing_kind(self) -> SourceKind | None:
        """What a guided act is about."""
        if self.act is ExchangeReservations:
            return SourceKind.RESERVATION
        return _THINGS[self.thing_field] if self.guided and self.thing_field else None

    @property
    def not_typed(self) -> frozenset[str]:
        """Fields that are no part of the form: what the quote says, what the account says."""
        own = frozenset({"currency"}) if has_money(self.asked) else frozenset()
        return _OF_A_QUOTE | own

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps by name, in their order."""
        if self.act is ExchangeReservations:
            return ("returns", "purchases", "review", "done")
        if self.quote is None:
            return ("rules" if self.guided else "fields", "confirm", "done")
        return ("rules", "list", "again", "done") if self.twice else ("rules", "list", "done")
