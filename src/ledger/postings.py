"""Computes an event's double entry from its figures: balanced debit and credit lines.

The names of the ledger accounts are fixed. A line of 0 is left out, so an event of 0 has no
postings.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.values.money import Minor
from ledger.vocabulary.shapes import Posting, Side

REFUNDS = "refunds"
REFUND_PAYABLE = "refund_payable"
FEE_INCOME = "fee_income"
BALANCE_CASH = "balance:cash"
BALANCE_GIFT = "balance:gift"
CREDIT_MEMOS = "credit_memos"
HELD_CREDIT = "held_credit"
RECEIVABLE = "receivable"
SALES = "sales"
CARD_TRANSIT = "card_transit"
GATEWAY = "gateway"
CUSTOMER_RECEIVABLE = "customer_receivable"
OPENING_BALANCE = "opening_balance"


def commitment(term_id: str) -> str:
    """The ledger account of a commitment term."""
    return f"commitment:{term_id}"


def opening_position(cash: Minor, gift: Minor, held_credit: Minor) -> tuple[Posting, ...]:
    """What was owed to the account when the ledger was adopted, without saying where it came from.

    Balance 120.00 cash and 30.00 gift money, credits of 50.00: debit opening balance 200.00; credit
    cash 120.00, gift 30.00, held credit 50.00.
    """
    owed = [(BALANCE_CASH, cash), (BALANCE_GIFT, gift), (HELD_CREDIT, held_credit)]
    return journal([(OPENING_BALANCE, cash + gift + held_credit)], owed)


def refund_issued(gross: Minor, fee: Minor) -> tuple[Posting, ...]:
    """Refunds increase by the gross; the net is owed, the fee is income.

    gross 100.00, fee 25.00: debit refunds 100.00; credit refund payable 75.00, fee income 25.00.
    """
    return journal([(REFUNDS, gross)], [(REFUND_PAYABLE, gross - fee), (FEE_INCOME, fee)])


def balance_credited(cash: Minor, gift: Minor) -> tuple[Posting, ...]:
    """The amount owed is credited to the account's balance, fund by fund."""
    return journal([(REFUND_PAYABLE, cash + gift)], [(BALANCE_CASH, cash), (BALANCE_GIFT, gift)])


def commitment_credited(term_id: str, amount: Minor) -> tuple[Posting, ...]:
    """The amount owed can be spent again in the commitment term."""
    return journal([(REFUND_PAYABLE, amount)], [(commitment(term_id), amount)])


def credit_memo_issued(amount: Minor) -> tuple[Posting, ...]:
    """The amount owed is now owed by a document, outside any balance."""
    return journal([(REFUND_PAYABLE, amount)], [(CREDIT_MEMOS, amount)])


def credit_held(amount: Minor) -> tuple[Posting, ...]:
    """The amount owed waits for the next purchase paid by invoice."""
    return journal([(REFUND_PAYABLE, amount)], [(HELD_CREDIT, amount)])


def held_credit_consumed(amount: Minor) -> tuple[Posting, ...]:
    """The customer owes this amount less for a purchase."""
    return journal([(HELD_CREDIT, amount)], [(RECEIVABLE, amount)])


def leg_netted(amount: Minor) -> tuple[Posting, ...]:
    """The amount owed for a returned leg is deducted from the exchange's new purchase."""
    return journal([(REFUND_PAYABLE, amount)], [(RECEIVABLE, amount)])


def card_refund_requested(amount: Minor) -> tuple[Posting, ...]:
    """The amount owed is being paid to the card."""
    return journal([(REFUND_PAYABLE, amount)], [(CARD_TRANSIT, amount)])


def card_refund_confirmed(amount: Minor) -> tuple[Posting, ...]:
    """The gateway has paid the amount."""
    return journal([(CARD_TRANSIT, amount)], [(GATEWAY, amount)])


def card_refund_confirmed_after_all(amount: Minor) -> tuple[Posting, ...]:
    """The gateway has paid an amount that it had reported as failed: it is no longer owed."""
    return journal([(REFUND_PAYABLE, amount)], [(GATEWAY, amount)])


def refund_overpaid(amount: Minor) -> tuple[Posting, ...]:
    """The gateway has paid an amount that was not owed: the customer owes it now."""
    return journal([(CUSTOMER_RECEIVABLE, amount)], [(GATEWAY, amount)])


def card_refund_failed(amount: Minor) -> tuple[Posting, ...]:
    """The gateway has not paid: the amount is owed as before."""
    return journal([(CARD_TRANSIT, amount)], [(REFUND_PAYABLE, amount)])


def reservation_purchased(total: Minor, transaction: int = 1) -> tuple[Posting, ...]:
    """The customer owes the lifetime price."""
    return journal([(RECEIVABLE, total)], [(SALES, total)], transaction)


def reservation_exchanged(
    returned: Sequence[Minor], purchased: Sequence[Minor]
) -> tuple[Posting, ...]:
    """Two journal transactions: the refunds owed leg by leg, then the new purchases."""
    owed = [(REFUND_PAYABLE, value) for value in returned]
    sold = [(SALES, total) for total in purchased]
    return (
        *journal([(REFUNDS, sum(returned))], owed, 1),
        *journal([(RECEIVABLE, sum(purchased))], sold, 2),
    )


def reversal(postings: Sequence[Posting]) -> tuple[Posting, ...]:
    """The same lines on the other side."""
    other = {Side.DEBIT: Side.CREDIT, Side.CREDIT: Side.DEBIT}
    return tuple(
        Posting(transaction=1, account=line.account, side=other[line.side], amount=line.amount)
        for line in postings
    )


def journal(
    debits: Sequence[tuple[str, Minor]],
    credits: Sequence[tuple[str, Minor]],
    transaction: int = 1,
) -> tuple[Posting, ...]:
    """One journal transaction. If it does not balance, this is a bug and raises."""
    if sum(amount for _, amount in debits) != sum(amount for _, amount in credits):
        raise ValueError(f"journal does not balance: {debits} against {credits}")
    sides = ((Side.DEBIT, debits), (Side.CREDIT, credits))
    return tuple(
        Posting(transaction=transaction, account=account, side=side, amount=amount)
        for side, lines in sides
        for account, amount in lines
        if amount
    )
