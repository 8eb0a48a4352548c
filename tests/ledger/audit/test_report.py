"""What an audit found is told to people in a few lines, and to machines in one object."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from msgspec.structs import replace
from rich.console import Console

from console.commands.audit import claims, read_place, save_place
from console.main import main
from console.rendering.reports.audit import Verified, print_verified, verified_to_json
from console.terminal.errors import Failed
from ledger.audit import CHECKS, AuditReport, Place, audit
from ledger.vocabulary.events import RefundIssued
from projector.reconciling.reconcile import Divergence, Reconciliation
from tests.ledger.audit.ledgers import everything

COMPARED = Reconciliation(positions={0: 7}, rows_of={"balances": 12}, divergences=())


def report(*, falsified: bool = False) -> AuditReport:
    log = everything()
    if falsified:
        log.forge(RefundIssued, amount=1)
    return audit(log, "anybody")


def printed(found: Verified, *, verbose: bool = False) -> str:
    out = StringIO()
    print_verified(found, Console(file=out, width=200), verbose=verbose)
    return out.getvalue()


def ended(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(["audit", *arguments])
    return int(end.value.code or 0)


def test_a_clean_audit_holds_and_has_nothing_to_say() -> None:
    found = Verified(log=report(), read_models=COMPARED, seconds=1.25)
    assert found.holds
    assert printed(found) == ""
    told = json.loads(json.dumps(verified_to_json(found)))
    assert (told["holds"], told["divergences"]) == (True, [])
    assert [each["check"] for each in told["checks"]] == [
        *(each.name for each in CHECKS),
        "read_models",
    ]
    assert told["read_models"] == {"rows": 12, "positions": {"0": 7}}


def test_verbose_lists_every_check_and_what_was_read() -> None:
    text = printed(Verified(log=report(), read_models=COMPARED, seconds=1.25), verbose=True)
    assert all(name in text for name in claims())
    assert "all checks passed: 41 commands, 72 events, 1 dead letters, 12 rows" in text


def test_what_an_audit_from_a_place_left_out_is_told_though_all_is_well() -> None:
    place = Place(audited_at="2026-11-30T00:00:00Z", release="0.3.0", ends={})
    log = replace(report(), left_out=(3, 5))
    found = Verified(log=log, read_models=None, seconds=1.25, begun_at=place)
    text = printed(found)
    assert "not looked at again: 3 commands and 5 events of accounts with nothing new" in text
    assert "release 0.3.0 audited at 2026-11-30T00:00:00Z" in text
    assert verified_to_json(found)["not_looked_at_again"] == {
        "commands": 3,
        "events": 5,
        "audited_at": "2026-11-30T00:00:00Z",
        "release": "0.3.0",
    }


def test_a_place_is_written_only_after_a_clean_audit(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="is not written: the log has divergences"):
        save_place(tmp_path / "place.json", report(falsified=True))
    assert list(tmp_path.iterdir()) == []
    saved = audit(everything(), "anybody", sealed=True)
    save_place(tmp_path / "place.json", saved)
    assert read_place(tmp_path / "place.json").ends == saved.ends


def test_a_place_of_some_checks_only_is_not_written(tmp_path: Path) -> None:
    place = tmp_path / "place.json"
    assert ended("verify", "--check", "hash_chain", "--save", str(place)) == 2


def test_where_a_place_cannot_be_written_nothing_is_audited(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended("verify", "--save", str(tmp_path / "gone" / "place.json")) == 2
    assert f"there is no folder {tmp_path / 'gone'}; create it first" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    saved = audit(everything(), "anybody", sealed=True)
    with pytest.raises(Failed, match="cannot be written: No such file or directory; "):
        save_place(tmp_path / "gone" / "place.json", saved)


def test_a_divergence_names_place_key_expected_and_found() -> None:
    found = Verified(log=report(falsified=True), read_models=None, seconds=1.0)
    assert not found.holds
    first = next(e for e in verified_to_json(found)["divergences"] if e["check"] == "refund_sums")
    assert (first["topic"], first["partition"]) == ("refunds.events.v1", 0)
    assert (first["expected"], first["found"]) == ("amount 40796", "amount 1")
    assert f"refund_sums: refunds.events.v1 partition 0 offset {first['offset']}, acct-1" in (
        printed(found)
    )


def test_a_read_model_that_departs_breaks_the_audit() -> None:
    wrong = Divergence(
        view="balances", key=("acct-1", "CNY"), expected={"cash": 1}, found={"cash": b"\x02"}
    )
    compared = Reconciliation(positions={}, rows_of={"balances": 1}, divergences=(wrong,))
    found = Verified(log=None, read_models=compared, seconds=0.5)
    assert not found.holds
    assert printed(found).splitlines() == [
        "read_models: balances acct-1 CNY",
        "  expected  cash 1",
        "  found     cash 02",
    ]


def test_read_models_that_cannot_be_compared_break_the_audit() -> None:
    found = Verified(log=report(), read_models="the database has another log", seconds=0.5)
    assert not found.holds
    assert "another log" in printed(found)


def test_the_checks_are_listed_with_their_claims(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("checks") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(claims())
    assert all(line.endswith(".") for line in lines)


def test_an_unknown_check_is_bad_input_and_the_nearest_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ended("verify", "--check", "hash_chian") == 2
    assert "did you mean 'hash_chain'?" in capsys.readouterr().err
