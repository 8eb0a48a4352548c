"""What did each account bring along, what was credited to it and not reversed, by fund?"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.postings import BALANCE_CASH, BALANCE_GIFT
from ledger.vocabulary.envelope import RecordedEvent
from ledger.vocabulary.events import (
    AccountOpened,
    BalanceCredited,
    OpeningPositionRecorded,
    RefundCorrected,
)
from ledger.vocabulary.shapes import Posting, Side
from projector.rows.changes import Add, Insert, RowChange
from projector.rows.tables import NUMERIC, TEXT, Row, Table

TABLE = Table(
    name="balances",
    key=("account_id",),
    columns={"account_id": TEXT, "currency": TEXT, "cash": NUMERIC, "gift": NUMERIC},
)
FUNDS = {BALANCE_CASH: "cash", BALANCE_GIFT: "gift"}
"""The ledger account of each fund → the column that shows its balance."""


def changes(recorded: RecordedEvent) -> Sequence[RowChange]:
    """Zero at the opening, then what it brought along; a credit adds to both funds; a correction
    subtracts what it reverses.

    A balance may become negative: the money may have been spent before the correction.
    """
    account_id = recorded.meta.account_id
    match recorded.body:
        case AccountOpened(currency=currency):
            row: Row = {"account_id": account_id, "currency": currency, "cash": 0, "gift": 0}
            return (Insert(table=TABLE, row=row),)
        case OpeningPositionRecorded(balance=balance):
            brought = {"cash": balance.cash, "gift": balance.gift}
            return (Add(table=TABLE, key=(account_id,), amounts=brought),)
        case BalanceCredited(cash=cash, gift=gift):
            return (Add(table=TABLE, key=(account_id,), amounts={"cash": cash, "gift": gift}),)
        case RefundCorrected(postings=postings):
            amounts = _moved(postings)
            return (Add(table=TABLE, key=(account_id,), amounts=amounts),) if amounts else ()
        case _:
            return ()


def _moved(postings: Sequence[Posting]) -> dict[str, int]:
    """The effect of the postings on the funds: a credit adds to the balance, a debit subtracts."""
    amounts: dict[str, int] = {}
    for posting in postings:
        fund = FUNDS.get(posting.account)
        if fund is not None:
            signed = posting.amount if posting.side is Side.CREDIT else -posting.amount
            amounts[fund] = amounts.get(fund, 0) + signed
    return amounts
