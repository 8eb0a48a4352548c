"""Events that the real decider, reactions and deadlines made, in memory."""

from __future__ import annotations

from consumers.sandbox.simulated_time import step_to
from consumers.sandbox.simulation import Simulation
from ledger.log.seam import Topic
from ledger.terms.table import released_terms
from ledger.values.instants import DAY, HOUR, Instant
from ledger.vocabulary.commands import (
    Command,
    DestroyPostpaidInstance,
    OpenAccount,
    RecordInstanceOrder,
    RestoreInstance,
    ReturnInstance,
    StartPostpaidInstance,
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
from tests.projector.stories import START

BILLING = Actor(id="billing", role=Role.BILLING)
SUPPORT = Actor(id="s-1", role=Role.SUPPORT)


def decided_values() -> dict[int, list[bytes]]:
    """The records of a ledger of one partition in which an instance is returned and restored,
    another expires and is destroyed, a third is refused, and the refund reaches the balance.
    """
    world = Simulation(released_terms(), "0")
    commands: list[tuple[Instant, Actor, Command]] = [
        (START, BILLING, OpenAccount(account_type=AccountType.ONLINE, us_government=False,
                                     currency="CNY")),
        (START, BILLING, _order("o-1", "i-1", OrderKind.NEW, START, START + 31 * DAY)),
        (START, BILLING, _order("o-2", "i-2", OrderKind.NEW, START, START + DAY)),
        (START, BILLING, StartPostpaidInstance(instance_id="i-3", product="cvm", region="r")),
        (START + HOUR, SUPPORT, ReturnInstance(instance_id="i-1", acknowledged=True)),
        (START + HOUR, SUPPORT, ReturnInstance(instance_id="i-9", acknowledged=True)),
        (START + HOUR, SUPPORT, DestroyPostpaidInstance(instance_id="i-3", acknowledged=True)),
        (START + DAY, BILLING,
         _order("o-3", "i-1", OrderKind.RENEWAL, START + DAY, START + 40 * DAY)),
        (START + DAY, SUPPORT, RestoreInstance(instance_id="i-1", renewal_order_id="o-3")),
    ]  # fmt: skip
    for number, (at, actor, body) in enumerate(commands):
        step_to(world, at, inclusive=False)
        meta = CommandMeta(
            command_id=f"c-{number}", account_id="acct-1", actor=actor, sandbox_at=at
        )
        world.publish(GivenCommand(meta=meta, body=body))
        world.settle()
    step_to(world, START + 12 * DAY, inclusive=True)
    records = world._cluster.replay(Topic.EVENTS)
    return {0: [record.value for record in records if record.value is not None]}


def _order(
    order_id: str, instance_id: str, kind: OrderKind, starts_at: Instant, ends_at: Instant
) -> RecordInstanceOrder:
    step = LadderStep(from_hours=0, hourly=420_000)
    line = OrderLine(
        instance_id=instance_id,
        product="cvm-s5",
        region="ap-guangzhou",
        paid=Funds(cash=20_000, gift=20_796, voucher=10_000),
        components=(Component(name="compute", list_monthly=51_000_000, payg=(step,)),),
    )
    return RecordInstanceOrder(
        order_id=order_id,
        kind=kind,
        channel=Channel.STANDARD,
        starts_at=starts_at,
        ends_at=ends_at,
        lines=(line,),
        currency="CNY",
    )
