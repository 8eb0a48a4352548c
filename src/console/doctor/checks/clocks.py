"""This machine's clock beside that of the brokers and of the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from console.doctor.finding import Finding, error, fine, skipped, warning
from console.doctor.patient import Missing, Patient
from ledger.values.instants import SECOND, Instant, from_datetime

NOTICED, TOO_MUCH = 2 * SECOND, 10 * SECOND
"""From 10 s on the projector's watermark is no longer safe (`consumers.deciding.progress.SKEW`)."""


def clocks(patient: Patient) -> Iterator[Finding]:
    """The time of the request itself is divided between both sides."""
    for whose, ask in (
        ("the brokers' controller", _of_controller),
        ("the database", _of_database),
    ):
        try:
            yield _compared(patient, whose, ask)
        except Missing as part:
            yield skipped(f"not examined without {part}")


def _of_controller(patient: Patient) -> Instant:
    return patient.brokers.clock()


def _of_database(patient: Patient) -> Instant:
    row = patient.database.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    return from_datetime(row[0])


def _compared(patient: Patient, whose: str, ask: Callable[[Patient], Instant]) -> Finding:
    before = patient.clock.now()
    theirs = ask(patient)
    return _judged(whose, theirs, (before + patient.clock.now()) // 2)


def _judged(whose: str, theirs: Instant, ours: Instant) -> Finding:
    ahead = ours - theirs
    what = f"this machine's clock is {abs(ahead) / SECOND:.1f} s "
    what += f"{'ahead of' if ahead >= 0 else 'behind'} that of {whose}"
    means = "deadlines are sent early or late, and answers about the past are not final in time"
    do = "let both machines set their clocks by NTP"
    if abs(ahead) >= TOO_MUCH:
        return error(what, means, do)
    return warning(what, means, do) if abs(ahead) >= NOTICED else fine(what)
