"""Who ordered each event is told: by which origin's key it was signed, or that it was not."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from console.explaining.as_text import explanation_told
from console.explaining.event_sources import Found, entries_of
from console.explaining.explanation import Explanation, explained, explanation_to_json
from console.rendering.reports.audit import Verified, print_verified, verified_to_json
from ledger.audit import audit
from ledger.origins.verifying import KeptOrigins
from ledger.terms.table import released_terms
from tests.ledger.audit.test_ordered_by import log, recorded
from tests.ledger.origins.tables import secrets_of


def of(command_id: str) -> Explanation:
    """An explanation from a log with signed and unsigned commands."""
    entries = tuple(entries_of(log(), 0, 0, "acct-1"))
    return explained(Found(entries=entries, commands={}), command_id, None, released_terms())


def test_a_signed_command_is_told_with_origin_key_and_version() -> None:
    told = explanation_to_json(of("s-7"))
    version = recorded()[1].newest.version
    by = {"signed": True, "origin": "billing", "origin_key": "k2", "origins": version}
    assert by.items() <= told["asked"].items()
    (event,) = told["events"]
    assert by.items() <= event.items()
    text = explanation_told(of("s-7"))
    assert f"signed by billing with key k2, by version {version} of the origins" in text
    assert "AccountStandingChanged" in text
    assert text.splitlines()[-1].endswith("by billing/k2")


def test_an_unsigned_command_is_told_as_such() -> None:
    for command_id, versioned in (("s-4", True), ("open", False)):
        told = explanation_to_json(of(command_id))
        for each in (told["asked"], *told["events"]):
            assert each["signed"] is False
            assert ("origins" in each) is versioned
            assert not {"origin", "origin_key"} & set(each)
        text = explanation_told(of(command_id))
        assert "not signed" in text
        assert text.splitlines()[-1].endswith("unsigned")


def test_an_audit_counts_the_decided_commands_of_each_key() -> None:
    history = recorded()[1]
    kept = KeptOrigins(history=history, secrets=secrets_of(history))
    found = Verified(log=audit(log(), "", origins=kept), read_models=None, seconds=1.0)
    assert verified_to_json(found)["ordered_by"] == [
        {"origin": None, "key": None, "signed": False, "commands": 3},
        {"origin": "billing", "key": "k1", "signed": True, "commands": 2},
        {"origin": "billing", "key": "k2", "signed": True, "commands": 1},
        {"origin": "partner", "key": "k1", "signed": True, "commands": 1},
    ]
    out = StringIO()
    print_verified(found, Console(file=out, width=200), verbose=True)
    assert "unsigned: 3 commands; ordered by billing/k1: 2 commands" in out.getvalue()
