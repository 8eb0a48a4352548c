"""The commands that the benchmarks give: 70 % orders, 20 % quotes and refusals, 10 % returns."""

from __future__ import annotations

from collections.abc import Iterator

from consumers.follow_ups import command_record
from ledger.log.seam import Outgoing
from ledger.values.instants import DAY, Instant
from ledger.vocabulary.commands import (
    Command,
    OpenAccount,
    QuoteInstanceReturn,
    RecordInstanceOrder,
    ReturnInstance,
)
from ledger.vocabulary.envelope import CommandMeta, GivenCommand
from ledger.vocabulary.shapes import (
    AccountType,
    Actor,
    Channel,
    Component,
    Funds,
    LadderStep,
    OrderKind,
    OrderLine,
    Role,
)

COMMANDS_AN_ACCOUNT = 50
EVENTS_A_COMMAND = 1.3
"""About, where what the reactions send is decided too."""


def commands(
    count: int, now: Instant, partitions: int, accounts: int | None = None, name: str = "acct"
) -> Iterator[Outgoing]:
    """The accounts, then of every ten commands seven orders, a quote, a refusal and a return.

    The commands of all accounts by turns; without a number of accounts, each has about fifty. The
    first account is `name`-0.
    """
    many = accounts or max(1, count // COMMANDS_AN_ACCOUNT)
    for account in range(many):
        body = OpenAccount(account_type=AccountType.ONLINE, us_government=False, currency="CNY")
        yield _record(f"open-{account}", account, body, Role.BILLING, partitions, name)
    for ten in range(count // 10):
        account = ten % many
        for number in range(7):
            order = _order(f"i-{ten}-{number}", now)
            yield _record(f"order-{ten}-{number}", account, order, Role.BILLING, partitions, name)
        quote = QuoteInstanceReturn(instance_id=f"i-{ten}-0")
        yield _record(f"quote-{ten}", account, quote, Role.OWNER, partitions, name)
        unquoted = ReturnInstance(instance_id=f"i-{ten}-1", acknowledged=True)
        yield _record(f"refused-{ten}", account, unquoted, Role.OWNER, partitions, name)
        support = ReturnInstance(instance_id=f"i-{ten}-2", acknowledged=True)
        yield _record(f"return-{ten}", account, support, Role.SUPPORT, partitions, name)


def _order(instance_id: str, now: Instant) -> RecordInstanceOrder:
    component = Component(
        name="node",
        list_monthly=51_000_000,
        payg=(LadderStep(from_hours=0, hourly=420_000),),
    )
    line = OrderLine(
        instance_id=instance_id,
        product="redis",
        region="ap-guangzhou",
        paid=Funds(cash=20_000, gift=20_796, voucher=10_000),
        components=(component,),
    )
    return RecordInstanceOrder(
        order_id=f"o-{instance_id}",
        kind=OrderKind.NEW,
        channel=Channel.STANDARD,
        starts_at=now - DAY,
        ends_at=now + 364 * DAY,
        lines=(line,),
        currency="CNY",
    )


def _record(
    command_id: str, account: int, body: Command, role: Role, partitions: int, name: str
) -> Outgoing:
    meta = CommandMeta(
        command_id=command_id,
        account_id=f"{name}-{account}",
        actor=Actor(id="bench", role=role),
    )
    return command_record(GivenCommand(meta=meta, body=body), partitions)
