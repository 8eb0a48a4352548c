"""What upstream publishes: short stories of single accounts, made once and told by many seeds."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from msgspec import Struct
from msgspec.structs import replace

from consumers.follow_ups import command_record
from ledger.log.seam import Outgoing
from ledger.values.ids import derived_id, partition_of
from ledger.values.instants import DAY, HOUR, parse_day, parse_instant
from ledger.vocabulary.commands import (
    ApproveMarketplaceRefund,
    ChangeCard,
    Command,
    ConfirmCardRefund,
    CorrectRefund,
    DestroyPostpaidInstance,
    FailCardRefund,
    OpenAccount,
    OpenCommitmentTerm,
    QuoteInstanceReturn,
    RecordInvoiceState,
    SetAccountStanding,
    SettleRefund,
    TakeInstanceOffline,
    WithdrawMarketplaceRefund,
)
from ledger.vocabulary.digest import command_digest
from ledger.vocabulary.envelope import CommandMeta, GivenCommand
from ledger.vocabulary.shapes import AccountType, Actor, InvoiceState, Payment, PaymentMethod, Role
from tests.bodies import (
    downgrading,
    line,
    order,
    paid,
    postpaid,
    renewal,
    returning,
    smaller,
    upgrade,
)
from tests.ledger.rules.marketplace.stories import application, purchase, ticket
from tests.ledger.rules.reservations.stories import act, back, bought, exchange, new
from tests.scenario import role_for

START = parse_instant("2026-01-05T08:00:00Z")
PARTITIONS = 2
STORIES_OF_A_KIND = 3
BREAKER = "breaks-the-code"
"""The actor whose commands the simulated bug of ours trips over, after half of their events."""

Told = list[tuple[Command, Role | None]]


class Story(Struct, frozen=True, kw_only=True):
    """One account's commands, in the order in which they are published."""

    account_id: str
    partition: int
    given: tuple[GivenCommand, ...]
    records: tuple[Outgoing, ...]


@cache
def library() -> tuple[Story, ...]:
    """Every story, each under a few accounts."""
    return tuple(
        _story(f"{tell.__name__.strip('_')}-{number}", tell)
        for tell in _TELLERS
        for number in range(STORIES_OF_A_KIND)
    )


def broken(given: GivenCommand) -> GivenCommand:
    """The same order from the one whose commands break the code."""
    meta = replace(
        given.meta, command_id=given.meta.command_id + "-broken", actor=_actor(BREAKER, given)
    )
    return replace(given, meta=meta)


def used_again(given: GivenCommand) -> GivenCommand:
    """Another content under the same id."""
    return replace(given, meta=replace(given.meta, actor=_actor("somebody-else", given)))


def record_of(given: GivenCommand) -> Outgoing:
    """The record that carries it."""
    return command_record(given, PARTITIONS)


def _actor(name: str, given: GivenCommand) -> Actor:
    return Actor(id=name, role=given.meta.actor.role)


def _story(account_id: str, tell: Callable[[str], Told]) -> Story:
    given = tuple(
        _given(account_id, number, body, role)
        for number, (body, role) in enumerate(tell(account_id))
    )
    return Story(
        account_id=account_id,
        partition=partition_of(account_id.encode(), PARTITIONS),
        given=given,
        records=tuple(record_of(each) for each in given),
    )


def _given(account_id: str, number: int, body: Command, role: Role | None) -> GivenCommand:
    given_by = role_for(body) if role is None else role
    actor = Actor(id="v-1" if given_by is Role.VENDOR else "u-1", role=given_by)
    meta = CommandMeta(command_id=f"c-{number}", account_id=account_id, actor=actor)
    return GivenCommand(meta=meta, body=body)


def _derived(account_id: str, number: int, told: Told, noun: str, index: int = 0) -> str:
    """The id that the `number`-th command of a story gives to what comes of it."""
    given = _given(account_id, number, *told[number])
    digest = command_digest(given).hex()
    return derived_id(account_id, given.meta.command_id, digest, noun, str(index))


def _open(kind: AccountType, currency: str) -> tuple[Command, None]:
    return OpenAccount(account_type=kind, us_government=False, currency=currency), None


def _online() -> tuple[Command, None]:
    return _open(AccountType.ONLINE, "CNY")


def _given_back(account_id: str) -> Told:
    return [
        _online(),
        (order("o-1", line("i-1"), line("i-2"), starts_at=START), None),
        (returning("i-1"), Role.SUPPORT),
        (upgrade("u-1", at=START, instance_id="i-2"), None),
        (downgrading(smaller(instance_id="i-2")), Role.SUPPORT),
        (upgrade("u-2", at=START + DAY, instance_id="i-2"), None),
        (returning("i-2"), Role.SUPPORT),
    ]


def _quoted(account_id: str) -> Told:
    told: Told = [
        _online(),
        (order("o-1", line("i-1"), starts_at=START), None),
        (QuoteInstanceReturn(instance_id="i-1"), None),
    ]
    quote_id = _derived(account_id, 2, told, "quote")
    return [
        *told,
        (returning("i-1", quote_id, 40_796), None),
        (returning("i-1", quote_id, 40_796), None),
        (SetAccountStanding(in_arrears=False), None),
    ]


def _expiring(account_id: str) -> Told:
    end = START + 6 * HOUR
    return [
        _online(),
        (order("o-1", line("i-1"), line("i-2"), starts_at=START, ends_at=end), None),
        (renewal("o-2", line("i-1"), starts_at=end, ends_at=end + 2 * DAY), None),
        (SetAccountStanding(in_arrears=True), None),
        (SetAccountStanding(in_arrears=False), None),
        (TakeInstanceOffline(instance_id="i-2"), None),
    ]


def _by_the_hour(account_id: str) -> Told:
    destroy = (DestroyPostpaidInstance(instance_id="i-1", acknowledged=True), None)
    return [
        _online(),
        (postpaid("i-1"), None),
        (SetAccountStanding(in_arrears=True), None),
        destroy,
        (SetAccountStanding(in_arrears=False), None),
        destroy,
        (TakeInstanceOffline(instance_id="i-1"), None),
    ]


def _market(account_id: str) -> Told:
    return [
        _online(),
        (purchase("p-1", at=START), None),
        (purchase("p-2", at=START), None),
        (application("p-1"), None),
        (RecordInvoiceState(purchase_id="p-2", invoice_state=InvoiceState.APPLIED), None),
        (application("p-2"), None),
        (WithdrawMarketplaceRefund(purchase_id="p-1"), None),
        (application("p-1"), None),
        (RecordInvoiceState(purchase_id="p-2", invoice_state=InvoiceState.NONE), None),
        (ticket(1_000, "p-2"), None),
    ]


def _agreed(account_id: str) -> Told:
    told: Told = [
        _online(),
        (purchase("p-1", funds=paid(20_000, 10_000), at=START), None),
        (application("p-1"), None),
        (ApproveMarketplaceRefund(purchase_id="p-1"), Role.VENDOR),
        (ticket(5_000, "p-1"), None),
    ]
    return told


def _invoiced(account_id: str) -> Told:
    told: Told = [
        _open(AccountType.CSP, "USD"),
        (bought(36_500, "r-1", quantity=2), None),
        (act("r-1", 1), Role.SUPPORT),
        (bought(40_000, "r-2"), None),
        (act("r-1"), Role.SUPPORT),
    ]
    refund_id = _derived(account_id, 2, told, "refund")
    correct = CorrectRefund(
        refund_id=refund_id, reason="wrong", restore_quota=False, restore_cap=True
    )
    return [*told, (correct, None), (correct, None)]


def _by_card(account_id: str) -> Told:
    card = Payment(method=PaymentMethod.CARD, card_id="k-1", invoice_id="inv-1")
    told: Told = [
        _open(AccountType.PAYG_CARD, "USD"),
        (ChangeCard(card_id="k-1"), None),
        (bought(36_500, "r-1", payment=card), None),
        (bought(73_000, "r-2", payment=card), None),
        (act("r-1"), Role.SUPPORT),
        (act("r-2"), Role.SUPPORT),
    ]
    one, other = (_derived(account_id, number, told, "refund") for number in (4, 5))
    return [
        *told,
        (SetAccountStanding(in_arrears=False), None),
        (ConfirmCardRefund(refund_id=one, gateway_reference="g-1"), None),
        (FailCardRefund(refund_id=other, gateway_reference="g-2"), None),
        (SettleRefund(refund_id=other), Role.SUPPORT),
        (ConfirmCardRefund(refund_id=other, gateway_reference="g-3", attempt=1), None),
        (ConfirmCardRefund(refund_id=other, gateway_reference="g-4", attempt=2), None),
    ]


def _exchanged(account_id: str) -> Told:
    term = OpenCommitmentTerm(
        term_id="t-1",
        starts_on=parse_day("2026-01-01"),
        ends_on=parse_day("2027-01-01"),
        amount=1_000_000,
        currency="USD",
    )
    by_term = Payment(method=PaymentMethod.COMMITMENT, term_id="t-1")
    legs, bought_new = (back("r-1"), back("r-2")), (new(400_000, payment=by_term),)
    return [
        _open(AccountType.EA, "USD"),
        (term, None),
        (bought(36_500, "r-1", payment=by_term), None),
        (bought(73_000, "r-2", payment=by_term), None),
        (exchange(legs, bought_new), Role.SUPPORT),
        (exchange(legs, bought_new), Role.SUPPORT),
        (act("r-9", 1), Role.SUPPORT),
    ]


_TELLERS: tuple[Callable[[str], Told], ...] = (
    _given_back,
    _quoted,
    _expiring,
    _by_the_hour,
    _market,
    _agreed,
    _invoiced,
    _by_card,
    _exchanged,
)


def unreadable(story: Story, number: int) -> list[Outgoing]:
    """Records that no decider can take, all in the account's partition."""
    record = story.records[number]
    assert record.value is not None
    broken_value = record.value[:-1]
    elsewhere = next(each for each in library() if each.partition != story.partition)
    return [
        replace(record, value=b"hello"),
        replace(record, value=None),
        replace(record, value=broken_value),
        replace(record, key=b"somebody else"),
        replace(elsewhere.records[0], partition=story.partition),
    ]
