"""How the demonstration ends: the read models, the sum of all postings, what ran."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from rich.table import Table

from console.demo.narrator import Narrator
from console.tables import answer_table
from ledger.log import LogTools, Topic
from projector.queries import ask
from projector.questions import QUESTIONS

ZERO_SUM = """\
SELECT currency, sum(CASE side WHEN 'DEBIT' THEN amount ELSE -amount END) AS difference
FROM finance.postings GROUP BY currency ORDER BY currency"""
"""Debits less credits of every posting ever made, by currency: 0, or something is wrong."""

_TABLES = {
    "balances": ("account_id", "currency", "cash", "gift", "total"),
    "refunds": (
        "account_id",
        "source_id",
        "rule",
        "gross",
        "fee",
        "amount",
        "cash",
        "gift",
        "state",
    ),
    "recycle-bin": ("account_id", "instance_id", "reason", "state", "restore_until"),
    "refusals": ("account_id", "command_id", "command_type", "code", "rule"),
}


class Figures(Struct, frozen=True, kw_only=True):
    """What ran. A transaction leaves one marker in every partition it wrote to."""

    commands: int
    events: int
    transactions: int


def read_models(narrator: Narrator, connection: Any) -> None:
    """What finance sees."""
    narrator.heading("What finance sees")
    for name, columns in _TABLES.items():
        narrator.say(f"{name}: {QUESTIONS[name].about}")
        narrator.show(answer_table(ask(connection, QUESTIONS[name]), *columns))


def zero_sum(narrator: Narrator, connection: Any) -> None:
    """Every posting added up."""
    narrator.heading("Every posting, added up")
    narrator.say("Debits less credits must be zero in every currency:")
    for line in ZERO_SUM.splitlines():
        narrator.note(line)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("currency")
    table.add_column("difference", justify="right")
    rows = connection.execute(ZERO_SUM.encode()).fetchall()
    for currency, difference in rows:
        table.add_row(currency, f"{difference:f}")
    narrator.show(table)
    if any(difference for _, difference in rows):
        raise AssertionError(f"the postings do not add up to zero: {rows}")


def figures(connection: Any, tools: LogTools) -> Figures:
    """Counted from the log: what is no event in the events topic ends a transaction."""
    row = connection.execute(
        "SELECT sum(log_sequence + 1) FROM consumers.checkpoints WHERE consumer = 'projector'"
    ).fetchone()
    events = int(row[0])
    return Figures(
        commands=sum(tools.end_offsets(Topic.COMMANDS)),
        events=events,
        transactions=sum(tools.end_offsets(Topic.EVENTS)) - events,
    )
