"""Act on a quote: an act must be the same as the quote, confirmed and acknowledged."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.policies.case import Case, Said, violation
from ledger.policies.quote_comparison import differing
from ledger.state.entities import QuoteStatus
from ledger.values.instants import format_instant
from ledger.values.refusal import Code, Violation
from ledger.vocabulary.commands import (
    DestroyPostpaidInstance,
    DowngradeInstance,
    ExchangeReservations,
    RefundReservation,
    ReturnInstance,
)
from ledger.vocabulary.shapes import Role

RULE = "act_on_a_quote"
_Quoted = ReturnInstance | DowngradeInstance | RefundReservation | ExchangeReservations


def quote_required(case: Case) -> Iterator[Violation]:
    """An owner needs a quote to return, downgrade or exchange; SUPPORT may act without one.

    Sources: seed 000 (the confirm in four steps), seed 003 (review and complete).

    By hand: an OWNER's ReturnInstance without `quote_id`: `QUOTE_REQUIRED`.
    """
    if case.role is Role.SUPPORT:
        return
    if isinstance(case.command, _Quoted) and case.command.quote_id is None:
        said = Said("ask for a quote first, then act with its quote_id and amount")
        yield violation(RULE, Code.QUOTE_REQUIRED, said, command=case.given.name)


def quote_expired(case: Case) -> Iterator[Violation]:
    """A quote is valid for a number of minutes, its last instant included. Source: seed 000.

    By hand: quoted 08:00 for 15 minutes; act at exactly 08:15: accepted; later: `QUOTE_EXPIRED`.
    """
    quote = case.quote()
    if quote is not None and case.now > quote.expires_at:
        yield violation(
            RULE,
            Code.QUOTE_EXPIRED,
            Said("the quote was valid until {expires_at}; ask for a new one"),
            expires_at=format_instant(quote.expires_at),
            now=format_instant(case.now),
        )


def quote_used(case: Case) -> Iterator[Violation]:
    """A quote can be used once. By hand: the same quote_id in two returns: `QUOTE_USED`."""
    quote = case.quote()
    if quote is not None and quote.status is QuoteStatus.USED:
        said = Said("this quote was acted on already; ask for a new one")
        quote_id = str(getattr(case.command, "quote_id", ""))
        yield violation(RULE, Code.QUOTE_USED, said, quote_id=quote_id)


def quote_changed(case: Case) -> Iterator[Violation]:
    """The decision must be the same as the quote and the confirmed amount, never another price.

    By hand: quoted 387.80, confirmed 387.80, but the five days have ended since, and the amount is
    380.00 now: `QUOTE_CHANGED`, with both amounts.
    """
    if changed := differing(case):
        figures = {
            f"{name}_{which}": text
            for name, pair in changed.items()
            for which, text in zip(("quoted", "now"), pair, strict=True)
        }
        yield violation(
            RULE,
            Code.QUOTE_CHANGED,
            Said("what was quoted or confirmed no longer holds ({names}); ask for a new quote"),
            {"names": ", ".join(changed)},
            **figures,
        )


def not_acknowledged(case: Case) -> Iterator[Violation]:
    """The actor confirms that they have read and agreed (已阅读并同意). Sources: seeds 000, 003.

    By hand: `acknowledged` is false: `NOT_ACKNOWLEDGED`.
    """
    command = case.command
    if isinstance(command, _Quoted | DestroyPostpaidInstance) and not command.acknowledged:
        said = Said("read what the act leads to, agree, and send acknowledged: true")
        yield violation(RULE, Code.NOT_ACKNOWLEDGED, said, acknowledged="false")
