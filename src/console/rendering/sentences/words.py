"""Parts of sentences: instants, amounts, funds, refusals and their reasons."""

from __future__ import annotations

from collections.abc import Sequence

from console.rendering.sentences.saying import ENGLISH, Saying
from ledger.values.instants import Instant, format_instant
from ledger.values.money import Currency, Minor, format_minor
from ledger.values.refusal import Violation
from ledger.vocabulary.shapes import Parts


def when(instant: Instant) -> str:
    """An instant as text, in UTC."""
    return format_instant(instant).replace("T", " ").removesuffix("Z")


def money(amount: Minor, currency: Currency) -> str:
    """`1413.92 CNY`."""
    return f"{format_minor(amount, currency)} {currency}"


def parts_told(parts: Parts | None, currency: Currency, say: Saying = ENGLISH) -> str:
    """`cash 200.00, gift 207.96`; nothing where there are no parts."""
    if parts is None:
        return ""
    named = {"cash": parts.cash, "gift": parts.gift, "original payment": parts.original}
    return say.listed(
        f"{say.word(name)} {format_minor(part, currency)}"
        for name, part in named.items()
        if part is not None
    )


def refused_because(violation: Violation, say: Saying = ENGLISH) -> str:
    """One violated rule: its code and its message."""
    why = say.because(violation.message, violation.figures)
    return say.said("{code} ({why})", code=say.word(violation.code), why=why)


def figures_told(violation: Violation) -> str:
    """`limit usd 50000.00, left usd 3280.00`: the figures that were compared."""
    pairs = violation.figures.items()
    return ", ".join(f"{name.replace('_', ' ')} {figure}" for name, figure in pairs)


def quote_told(
    answer: str, expires_at: Instant, violations: Sequence[Violation], say: Saying = ENGLISH
) -> str:
    """A quote's answer, until when it is valid, and what acting on it would be refused for."""
    told = say.said("{answer}, valid until {expires}", answer=answer, expires=when(expires_at))
    if not violations:
        return told
    but = say.clauses(refused_because(each, say) for each in violations)
    return say.clauses((told, say.said("would be refused: {why}", why=but)))
