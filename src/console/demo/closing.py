"""The end of the demonstration: the read models, the sum of all postings, the audit, what ran."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from rich.table import Table

from console.commands.audit import verified
from console.demo.narrator import Narrator
from console.rendering.reports.answers import answer_table
from console.rendering.reports.audit import verdicts_table, verified_to_json, what_was_read
from console.running.ledger_locator import Ledger
from ledger.audit import AuditReport
from ledger.log.seam import LogTools, Topic
from projector.asking.queries import ask
from projector.questions import QUESTIONS

ZERO_SUM = """\
SELECT currency, sum(CASE side WHEN 'DEBIT' THEN amount ELSE -amount END) AS difference
FROM finance.postings GROUP BY currency ORDER BY currency"""
"""Debits less credits of all postings, by currency; it must be 0."""

_TABLES = {
    "balances": ("account_id", "currency", "cash", "gift", "total"),
    "refunds": (
        "account_id",
        "source_id",
        "rule",
        "currency",
        "fee",
        "amount",
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
    """The views for finance."""
    narrator.heading("What finance sees")
    for name, columns in _TABLES.items():
        narrator.say(f"{name}: {QUESTIONS[name].about}")
        narrator.show(answer_table(ask(connection, QUESTIONS[name]), *columns))


def zero_sum(narrator: Narrator, connection: Any) -> None:
    """The sum of all postings."""
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


def audited(narrator: Narrator, ledger: Ledger) -> AuditReport:
    """The audit: the log is replayed from its first record and checked."""
    narrator.heading("Proved from the first record on")
    narrator.say(
        "`refundctl audit verify` reads the whole log apart from the code that wrote it, checks "
        "each of these claims, and compares the read models with what the log gives:"
    )
    found = verified(ledger)
    narrator.show(verdicts_table(found))
    if found.log is None or not found.holds:
        raise AssertionError(f"the audit found divergences: {verified_to_json(found)}")
    narrator.note(what_was_read(found))
    return found.log


def figures(read: AuditReport, tools: LogTools) -> Figures:
    """Counted from the log: an offset of the events topic without an event is a marker."""
    return Figures(
        commands=read.commands,
        events=read.events,
        transactions=sum(tools.end_offsets(Topic.EVENTS)) - read.events,
    )
