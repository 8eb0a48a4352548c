"""`rules` finds every rule with its numbers in force and its codes; terms of one's own count."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ledger.rulebook import RULES
from tests.console.golden_files import EXAMPLES
from tests.console.virtual_terminal import Terminal

OWN = """
version = "lenient"
effective_from = 2026-01-01T00:00:00Z

[instances]
five_days_hours = 240
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A file of terms that changes one number from 2026 on."""
    file = tmp_path / "own.toml"
    file.write_text(OWN)
    return file


def test_every_rule_is_listed(terminal: Terminal) -> None:
    ran = terminal.run("rules")
    listed = [line.split()[0] for line in ran.out.splitlines() if line[0] != " "]
    assert (ran.code, ran.err) == (0, "")
    assert listed == ["rule", *RULES, "terms"]


def test_a_rule_is_an_object_for_machines(terminal: Terminal) -> None:
    found = {each["rule"]: each for each in terminal.run("rules", "--json").objects}
    assert list(found) == list(RULES)
    cap = found["refund_cap"]
    assert cap["kinds"] == ["policy", "calculation"]
    assert cap["source"] == "seed 003"
    assert cap["codes"] == ["REFUND_CAP_EXCEEDED"]
    assert cap["commands"] == ["QuoteReservationRefund", "RefundReservation"]
    assert (cap["terms_version"], cap["terms"]["cap_usd"]) == ("1", "50000.00")


def test_one_rule_is_told_in_full(terminal: Terminal) -> None:
    out = terminal.run("rules", "swap").out
    assert out.startswith("swap: a size without premium storage")
    assert "Standard_F1 → Standard_F1s, " in out
    assert "refuses   SWAP_NOT_SUPPORTED\n" in out


def test_a_misspelt_rule_is_met_with_the_nearest(terminal: Terminal) -> None:
    ran = terminal.run("rules", "refund_capp")
    assert (ran.code, ran.out) == (2, "")
    assert "'refund_capp'; did you mean 'refund_cap'?" in ran.err


def test_the_instant_picks_the_version(terminal: Terminal, own: Path) -> None:
    def hours(at: str) -> tuple[str, int]:
        words = ("rules", "five_days_no_reason", "--json", "--terms", own, "--at", at)
        (found,) = terminal.run(*words).objects
        return found["terms_version"], found["terms"]["five_days_hours"]

    assert hours("2025-12-31T23:59:59.999999Z") == ("1", 120)
    assert hours("2026-01-01T00:00:00Z") == ("lenient", 240)


def test_an_instant_that_is_none_is_named(terminal: Terminal) -> None:
    ran = terminal.run("rules", "--at", "yesterday")
    assert ran.code == 2
    assert ran.err.startswith("error: --at: ")


def test_a_simulation_goes_by_the_terms_it_is_given(
    terminal: Terminal, own: Path, tmp_path: Path
) -> None:
    strict = tmp_path / "strict.toml"
    strict.write_text(
        OWN.replace("lenient", "strict").replace("2026-01-01", "2026-01-02").replace("240", "0")
    )
    file = EXAMPLES / "01-five-days.jsonl"

    def rules(*terms: object) -> list[str]:
        words = [word for each in terms for word in ("--terms", each)]
        events = terminal.run("simulate", file, *words).objects
        return [event["body"]["rule"] for event in events if event["event"] == "RefundIssued"]

    assert rules()[0] == "FIVE_DAYS_NO_REASON"
    assert rules(own)[0] == "FIVE_DAYS_NO_REASON"
    assert set(rules(own, strict)) == {"ORDINARY_RETURN"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (OWN.replace("240", '"240"'), "instances.five_days_hours is '240': write a whole number"),
        (OWN.replace("240", "-1"), "instances.five_days_hours is -1: write a whole number"),
        (OWN.replace("five_days_hours", "six_days"), "the key 'instances.six_days' is unknown"),
        (OWN.replace("[instances]", "[reservations]"), "'reservations.five_days_hours' is unknown"),
        (OWN.replace("lenient", "1"), "version '1' exists with other numbers"),
        (OWN.replace('version = "lenient"', ""), "the key 'version' is missing"),
        (OWN.replace("effective_from", "from"), "the key 'effective_from' is missing"),
        (
            OWN.replace("00Z", "00"),
            "effective_from is datetime.datetime(2026, 1, 1, 0, 0): it need",
        ),
        (OWN + 'promotion_fee = "1.5"', "instances.promotion_fee is '1.5': write a share"),
        (OWN + '[reservations]\ncap_basis = "ALL"', "reservations.cap_basis is 'ALL'"),
        (OWN + "[reservations]\ncap_usd = 5", "reservations.cap_usd is 5: write US dollars"),
        (OWN + '[reservations]\nswaps = "a"', "reservations.swaps is 'a': write a section"),
        (OWN + "[reservations]\nnot_exchangeable = 1", "write a list of texts"),
        ('time_zone = "Moon"\n' + OWN, "time_zone is 'Moon': no such time zone"),
        ("instances = 1\n" + OWN.partition("[")[0], "instances is 1: write a section of lines"),
        ("version = ", "own.toml: Invalid value"),
    ],
)
def test_what_is_wrong_with_a_file_of_terms_is_named(
    terminal: Terminal, own: Path, text: str, problem: str
) -> None:
    own.write_text(text)
    ran = terminal.run("simulate", EXAMPLES / "01-five-days.jsonl", "--terms", own)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {own}: ")
    assert problem in ran.err, ran.err


def test_a_folder_of_terms_is_read_file_by_file(terminal: Terminal, own: Path) -> None:
    ran = terminal.run("rules", "five_days_no_reason", "--json", "--terms", own.parent)
    assert json.loads(ran.out)["terms_version"] == "lenient"

    own.unlink()
    ran = terminal.run("rules", "--terms", own.parent)
    assert ran.code == 2
    assert "the folder has no .toml file" in ran.err
    assert "No such file" in terminal.run("rules", "--terms", own).err


def test_the_difference_of_two_versions_names_numbers_and_rules(terminal: Terminal) -> None:
    ran = terminal.run("rules", "--diff", "1", "2")
    assert ran.code == 0
    assert "partial_rounding (partial_quantity)\n  EACH → CUMULATIVE\n" in ran.out
    assert "  DedicatedHost: nothing → compute\n" in ran.out
    assert "VirtualMachines" not in ran.out
    names = [one["name"] for one in terminal.run("rules", "--diff", "1", "2", "--json").objects]
    assert names == ["effective_from", "families", "partial_rounding"]


def test_the_difference_with_a_version_that_is_not_there_is_told(terminal: Terminal) -> None:
    ran = terminal.run("rules", "--diff", "1", "9")
    assert (ran.code, "it has 1, 2" in ran.err) == (2, True)


def test_the_rules_of_an_instant_have_the_numbers_in_force_then(terminal: Terminal) -> None:
    ran = terminal.run("rules", "partial_quantity", "--at", "2027-01-01T00:00:00Z")
    assert "partial_rounding = CUMULATIVE" in ran.out
