"""`refundctl check-publisher`: what a decider says of the form of the last records published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from console.terminal.errors import FAILED, BadInput

if TYPE_CHECKING:
    from console.running.ledger_locator import Ledger
    from consumers.deciding.form import Form
    from ledger.log.kafka import KafkaSettings
    from ledger.vocabulary.events import LedgerOpened


def check_publisher(
    topic: Annotated[
        str | None,
        typer.Option("--topic", metavar="NAME", help="Another topic than the ledger's commands."),
    ] = None,
    last: Annotated[int, typer.Option("--last", min=1, help="So many records.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a record.")] = False,
) -> None:
    """Say what a decider says of the form of the last commands.

    Frame, schema, canonical bytes, ranges, key, partition, clock and signature, as the decider
    itself reads them, with the next step for each fault; and headers that others would miss. Where
    REFUNDS_SEALING is required, free texts in clear are noted too.
    Nothing is judged by the rules, and nothing is written. Exit code 1 if one of the records
    becomes a dead letter.

    Examples:

      refundctl check-publisher

      refundctl check-publisher --topic billing.staging --last 100

      refundctl check-publisher --json | jq 'select(.dead_letter)'
    """
    from console.rendering.reports.record_forms import form_to_json, print_forms
    from console.running.ledger_locator import find_ledger
    from console.running.settings import read_settings
    from console.terminal.log_output import log_to_stderr
    from console.terminal.output import json_line
    from ledger.log.seam import Topic

    log_to_stderr("error", json=False)
    own = read_settings()
    ledger = find_ledger(own)
    settings = ledger.kafka
    name = topic or settings.topic_name(Topic.COMMANDS)
    forms = _forms(ledger, name, last, texts_sealed=own.sealing == "required")
    if as_json:
        for form in forms:
            typer.echo(json_line(form_to_json(form)))
    else:
        print_forms(forms, name)
    if any(form.faults for form in forms):
        raise typer.Exit(FAILED)


def _forms(ledger: Ledger, topic_name: str, last: int, *, texts_sealed: bool) -> list[Form]:
    """Each record as the ledger would take it, had the topic as many partitions as it has."""
    from console.running.origins.own_signature import verifying
    from consumers.deciding.form import form_of
    from consumers.deciding.recording import Taker
    from ledger.log.kafka import last_records

    settings = ledger.kafka
    found = last_records(settings, topic_name, last)
    if found is None:
        raise BadInput(
            f"there is no topic {topic_name!r} at {settings.bootstrap}; without --topic the "
            "ledger's own commands are read"
        )
    opened = _opened(settings)
    taker = Taker(
        partition_count=found.partition_count,
        sandbox=opened is not None and opened.sandbox,
        verifier=None if opened is None else verifying(ledger, opened)(),
    )
    return [form_of(record, taker, texts_sealed=texts_sealed) for record in found.records]


def _opened(settings: KafkaSettings) -> LedgerOpened | None:
    """The ledger's first event; None if no decider has opened it yet."""
    from ledger.log.kafka import KafkaTools
    from ledger.log.seam import Topic
    from ledger.vocabulary.events import LedgerOpened
    from ledger.wire.avro.codec import decode_event

    tools = KafkaTools(settings)
    try:
        first = next(tools.replay(Topic.EVENTS), None)
    finally:
        tools.close()
    opened = None if first is None else decode_event(first.value).body
    return opened if isinstance(opened, LedgerOpened) else None
