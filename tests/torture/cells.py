"""The cells: each one fault, at one moment, of one component, under the mixed workload."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from tests.torture.arena import DECIDERS
from tests.torture.faults import AtPoint, DiskFull, Fault, Kill, MachineLost, Network, Pause
from tests.torture.proxy import Fault as NetworkFault
from tests.torture.proxy import Mode, Spots, containing, kafka_request

DECIDER_POINTS = (
    "decider.read",
    "decider.decided",
    "writer.sent",
    "writer.settled",
    "writer.offsets",
    "writer.committed",
    "decider.committed",
    "store.rows",
    "store.place",
    "store.committed",
    "decider.saved",
)
DECIDER_STARTS = (
    "writer.fenced",
    "decider.fenced",
    "decider.offset-read",
    "decider.folded",
    "decider.restored",
)
SNAPSHOT_POINTS = ("snapshot.rows", "snapshot.place", "snapshot.committed")
REACTION_POINTS = (
    "reactor.read",
    "reactor.reacted",
    "writer.sent",
    "writer.settled",
    "writer.offsets",
    "writer.committed",
    "reactor.committed",
    "deadlines.read",
    "deadlines.rows",
    "deadlines.positions",
    "deadlines.kept",
    "deadlines.due",
    "deadlines.sent",
    "deadlines.marked",
)
REACTION_STARTS = ("writer.fenced",)
PROJECTOR_POINTS = (
    "projector.read",
    "projector.folded",
    "projector.rows",
    "projector.checkpoint",
    "projector.committed",
)
WEBHOOK_POINTS = (
    "webhooks.read",
    "webhooks.rows",
    "webhooks.positions",
    "webhooks.kept",
    "webhooks.taken",
    "webhooks.answered",
    "webhooks.marked",
    "webhooks.recorded",
)
_SpotsOf = Callable[[str], Spots]
STARTING = "InitProducerId"
TRANSACTION = ("AddPartitionsToTxn", "Produce", "AddOffsetsToTxn", "TxnOffsetCommit", "EndTxn")


class Cell(Struct, frozen=True, kw_only=True):
    """One row of the report. `name` is `component/fault/moment`; `quick` ones tell most."""

    component: str
    fault_name: str
    moment: str
    fault: Fault
    quick: bool = False

    @property
    def name(self) -> str:
        """What CELLS selects by."""
        return f"{self.component}/{self.fault_name}/{self.moment}".replace(" ", "-")

    @property
    def takes_over(self) -> bool:
        """Whether a decider is stopped, and another one has to take over."""
        return self.fault_name == "stop" and self.component in DECIDERS


QUICK = frozenset(
    {
        "decider/kill/writer.sent",
        "decider/kill/writer.offsets",
        "decider/kill/decider.committed",
        "decider/kill/start-decider.folded",
        "decider/kill/snapshot.place",
        "decider/machine-lost/any-time-1",
        "decider/stop/writer.settled",
        "decider/stop/decider.committed",
        "decider/lose-reply/EndTxn",
        "decider/swallow-reply/EndTxn",
        "reactions/kill/writer.committed",
        "reactions/kill/deadlines.sent",
        "reactions/lose-reply/COMMIT",
        "projector/kill/projector.checkpoint",
        "projector/lose-reply/COMMIT",
        "webhooks/kill/webhooks.answered",
        "webhooks/lose-reply/COMMIT",
        "kafka/kill/any-time",
        "postgres/kill/any-time",
        "stores/disk-full/any-time",
        "client/lose-reply/Produce",
    }
)


def all_cells() -> list[Cell]:
    """Every cell, the most telling first: take-overs and those of CI, then the others, then errors.

    Those of one component are spread out, so that each has recovered by its next.
    """
    rows = [list(row()) for row in (_deciders, _reactions, _projector, _webhooks, _services)]
    spread = [
        (_turn(cell), number / len(row), order, cell)
        for order, row in enumerate(rows)
        for number, cell in enumerate(row)
    ]
    spread.sort(key=lambda each: each[:3])
    return [cell for *_, cell in spread]


def _turn(cell: Cell) -> int:
    return 0 if cell.takes_over or cell.quick else 2 if cell.fault_name == "raise" else 1


def _deciders() -> Iterator[Cell]:
    for point in DECIDER_POINTS:
        for action in ("kill", "stop", "raise"):
            yield _at("decider", point, action)
    for point in DECIDER_STARTS:
        yield _at("decider", point, "kill", start=True)
        yield _at("decider", point, "raise", start=True)
    for point in SNAPSHOT_POINTS:
        for action in ("kill", "stop"):
            yield _at("decider", point, action)
    for process in DECIDERS:
        for number in range(1, 4):
            lost = MachineLost(process=process)
            yield _cell(process, "machine lost", f"any time {number}", lost)
        yield _cell(process, "kill", "any time", Kill(process=process))
        yield _cell(process, "kill", "any time again", Kill(process=process))
        for number in range(1, 6):
            yield _cell(process, "stop", f"any time {number}", Pause(process=process, seconds=8))
    yield from _on_the_way("decider", "kafka", TRANSACTION, kafka_request)
    yield _network("decider", "kafka", STARTING, Mode.LOSE_REPLY, 1, kafka_request)
    yield from _from_now_on("decider", "kafka")


def _reactions() -> Iterator[Cell]:
    for point in REACTION_POINTS:
        for action in ("kill", "raise"):
            yield _at("reactions", point, action)
    for point in ("writer.settled", "deadlines.due", "deadlines.sent"):
        yield _at("reactions", point, "stop")
    for point in REACTION_STARTS:
        yield _at("reactions", point, "kill", start=True)
    yield _cell("reactions", "kill", "any time", Kill(process="reactions"))
    yield _cell("reactions", "stop", "any time", Pause(process="reactions", seconds=8))
    for api in ("Produce", "TxnOffsetCommit", "EndTxn"):
        for mode in (Mode.LOSE_REQUEST, Mode.LOSE_REPLY):
            yield _network("reactions", "kafka", api, mode, 1, kafka_request)
    yield from _from_now_on("reactions", "kafka")
    for mode in (Mode.LOSE_REQUEST, Mode.LOSE_REPLY):
        yield _network("reactions", "postgres", "COMMIT", mode, 1, _postgres)
    yield from _from_now_on("reactions", "postgres")


def _projector() -> Iterator[Cell]:
    for point in PROJECTOR_POINTS:
        for action in ("kill", "stop", "raise"):
            yield _at("projector", point, action)
    yield _cell("projector", "kill", "any time", Kill(process="projector"))
    yield _cell("projector", "stop", "any time", Pause(process="projector", seconds=8))
    yield _network("projector", "kafka", "Fetch", Mode.LOSE_REPLY, 1, kafka_request)
    yield from _from_now_on("projector", "kafka")
    for mode in (Mode.LOSE_REQUEST, Mode.LOSE_REPLY, Mode.SWALLOW):
        yield _network("projector", "postgres", "COMMIT", mode, 3, _postgres)
    yield from _from_now_on("projector", "postgres")


def _webhooks() -> Iterator[Cell]:
    for point in WEBHOOK_POINTS:
        for action in ("kill", "raise"):
            yield _at("webhooks", point, action)
    for point in ("webhooks.taken", "webhooks.answered"):
        yield _at("webhooks", point, "stop")
    yield _cell("webhooks", "kill", "any time", Kill(process="webhooks"))
    yield _cell("webhooks", "stop", "any time", Pause(process="webhooks", seconds=8))
    yield _network("webhooks", "kafka", "Fetch", Mode.LOSE_REPLY, 1, kafka_request)
    yield from _from_now_on("webhooks", "kafka")
    for mode in (Mode.LOSE_REQUEST, Mode.LOSE_REPLY, Mode.SWALLOW):
        yield _network("webhooks", "postgres", "COMMIT", mode, 3, _postgres)
    yield from _from_now_on("webhooks", "postgres")


def _services() -> Iterator[Cell]:
    for moment in ("any time", "any time again"):
        for service in ("kafka", "postgres"):
            yield _cell(service, "kill", moment, Kill(process=service))
    yield _cell("kafka", "stop", "any time", Pause(process="kafka", seconds=5))
    yield _cell("postgres", "stop", "any time", Pause(process="postgres", seconds=5))
    for mode in (Mode.LOSE_REQUEST, Mode.LOSE_REPLY, Mode.SWALLOW):
        yield _network("client", "kafka", "Produce", mode, 3, kafka_request)
    yield from _from_now_on("client", "kafka")
    full = (
        DiskFull(
            disk="stores",
            words=("disk is full", "disk I/O error"),
            logs=DECIDERS,
            restarted=DECIDERS,
        ),
        DiskFull(disk="postgres", words=("No space left on device",), logs=("postgres",)),
        DiskFull(disk="kafka", words=("No space left on device",), logs=("kafka",)),
    )
    for fault in full:
        yield _cell(fault.disk, "disk full", "any time", fault)


def _at(process: str, point: str, action: str, *, start: bool = False) -> Cell:
    moment = f"start {point}" if start else point
    fault = AtPoint(process=process, point=point, action=action, restore=start)
    return _cell(process, action, moment, fault)


def _on_the_way(
    process: str, service: str, requests: tuple[str, ...], spots: _SpotsOf
) -> Iterator[Cell]:
    for request in requests:
        for mode in (Mode.LOSE_REQUEST, Mode.LOSE_REPLY):
            yield _network(process, service, request, mode, 1, spots)
        yield _network(process, service, request, Mode.SWALLOW, 6, spots)


def _from_now_on(process: str, service: str) -> Iterator[Cell]:
    for mode, seconds in ((Mode.DELAY, 4), (Mode.CUT, 3), (Mode.HALF_OPEN, 6)):
        fault = Network(
            link=f"{service}/{process}", fault=NetworkFault(mode=mode, seconds=float(seconds))
        )
        yield _cell(process, mode.value, f"{service} any time", fault)


def _network(
    process: str, service: str, request: str, mode: Mode, seconds: int, spots: _SpotsOf
) -> Cell:
    fault = NetworkFault(mode=mode, seconds=float(seconds), spots=spots(request))
    restarted = process if request == STARTING else None
    network = Network(link=f"{service}/{process}", fault=fault, restarted=restarted)
    return _cell(process, mode.value, request, network)


def _cell(component: str, fault_name: str, moment: str, fault: Fault) -> Cell:
    cell = Cell(component=component, fault_name=fault_name, moment=moment, fault=fault)
    return Cell(
        component=component,
        fault_name=fault_name,
        moment=moment,
        fault=fault,
        quick=cell.name in QUICK,
    )


def _postgres(text: str) -> Spots:
    return containing(text.encode())
