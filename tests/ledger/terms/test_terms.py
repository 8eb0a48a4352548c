"""Terms: a version once used never changes, and each instant has exactly one."""

from __future__ import annotations

from fractions import Fraction
from hashlib import sha256
from importlib import resources

import pytest
from msgspec.structs import replace

from ledger.terms.table import (
    CapBasis,
    overridden,
    parse_terms,
    released_terms,
    section_of,
    terms_table,
)
from ledger.values.instants import parse_instant

FOLDER = resources.files("ledger").joinpath("terms")
RELEASED = {
    "1": "bb6c8d0b27b40ce7edba4342477b0678ebb295ad08286c77f380f955010a3286",
    "2": "4f638e50fddff73f124d566b66642dc9359426954cb0819eda537a02a810d09c",
}
"""SHA-256 of each released version's file. Never change one: add a version."""

TEXT = FOLDER.joinpath("1.toml").read_text("utf-8")


@pytest.mark.parametrize(("version", "digest"), RELEASED.items())
def test_a_released_version_is_as_it_was(version: str, digest: str) -> None:
    text = next(
        text
        for file in FOLDER.iterdir()
        if file.name.endswith(".toml")
        and parse_terms(text := file.read_text("utf-8")).version == version
    )
    assert sha256(text.encode()).hexdigest() == digest


def test_every_version_in_the_table_is_pinned() -> None:
    assert {terms.version for terms in released_terms().versions} == set(RELEASED)


def test_version_one_has_the_rulebooks_numbers() -> None:
    terms = released_terms().version("1")
    assert terms.time_zone == "Asia/Shanghai"
    assert terms.quote_valid_minutes == 15
    assert terms.five_days_hours == 5 * 24
    assert terms.prepaid_retention_hours == 7 * 24
    assert terms.postpaid_retention_hours == 2
    assert (terms.full_refunds_per_account, terms.ordinary_returns_per_account) == (1, 199)
    assert terms.promotion_fee == Fraction(1, 4)
    assert (terms.review_days, terms.completion_days) == (5, 3)
    assert terms.self_service_refunds_per_account == 4
    assert terms.arrival_minutes == 30
    assert (terms.cap_usd, terms.cap_window_days) == (5_000_000, 365)
    assert terms.cap_basis is CapBasis.REFUND
    assert terms.termination_fee == 0
    assert terms.swaps["Standard_F1"] == "Standard_F1s"


def test_a_version_holds_from_its_instant_until_the_next() -> None:
    first = released_terms().versions[0]
    change = parse_instant("2026-07-01T00:00:00Z")
    second = replace(first, version="2", effective_from=change)
    table = terms_table([second, first])
    assert table.at(0) is first
    assert table.at(change - 1) is first
    assert table.at(change) is second
    assert table.version("2") is second
    with pytest.raises(LookupError, match="'3'"):
        table.version("3")


def test_a_table_names_what_it_cannot_order() -> None:
    first = released_terms().versions[0]
    for other in (replace(first, version="2"), replace(first, effective_from=1)):
        with pytest.raises(ValueError, match="share a name or a start"):
            terms_table([first, other])
    for late in ([], [replace(first, effective_from=1)]):
        with pytest.raises(ValueError, match="from 1970-01-01"):
            terms_table(late)


def test_a_missing_number_is_named() -> None:
    with pytest.raises(ValueError, match="quote_valid_minutes"):
        parse_terms(TEXT.replace("quote_valid_minutes", "quote_minutes"))


def test_a_start_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a zone"):
        parse_terms(TEXT.replace("1970-01-01T00:00:00Z", "1970-01-01T00:00:00"))


OWN = """
version = "own"
effective_from = 2026-07-01T00:00:00Z
[reservations]
cap_usd = "1.50"
"""


def test_a_version_that_leaves_out_keys_is_otherwise_as_the_one_before() -> None:
    table = overridden(released_terms(), OWN)
    first, own, _ = table.versions
    assert own == replace(
        first,
        version="own",
        effective_from=parse_instant("2026-07-01T00:00:00Z"),
        cap_usd=150,
    )


def test_a_number_stands_in_its_section() -> None:
    assert section_of("cap_usd") == "reservations"
    assert section_of("quote_valid_minutes") == ""


def test_a_version_that_begins_with_another_stands_before_it_and_both_are_found() -> None:
    table = overridden(released_terms(), OWN.replace("2026-07-01", "1970-01-01"))
    assert table.at(0).version == "own"
    assert table.version("1") == released_terms().version("1")


def test_the_same_version_again_changes_nothing_and_another_of_its_name_is_refused() -> None:
    table = overridden(released_terms(), OWN)
    assert overridden(table, OWN) == table
    with pytest.raises(ValueError, match="version 'own' exists with other numbers"):
        overridden(table, OWN.replace("1.50", "1.51"))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('version = ""', "version is '': write a text in quotes"),
        ("version = 2", "version is 2: write a text in quotes"),
        ('effective_from = "2026-07-01"', "effective_from is '2026-07-01': write an instant"),
        ("quote_valid_minutes = true", "quote_valid_minutes is True: write a whole number"),
        ("quote_valid_minutes = 1000001", "quote_valid_minutes is 1000001: write a whole number"),
        ("quote_valid_minutes = 1.5", "quote_valid_minutes is 1.5: write a whole number"),
        ("quote_valid_hours = 1", "the key 'quote_valid_hours' is unknown"),
    ],
)
def test_a_line_that_cannot_be_is_named_with_what_to_write(line: str, problem: str) -> None:
    name = line.partition(" ")[0]
    others = [each for each in OWN.splitlines() if not each.startswith(f"{name} ")]
    with pytest.raises(ValueError, match=problem):
        overridden(released_terms(), "\n".join([line, *others]))


def test_a_share_is_from_nothing_to_all() -> None:
    for share in ("0", "1"):
        text = OWN + f'termination_fee = "{share}"'
        assert overridden(released_terms(), text).version("own").termination_fee == int(share)
    for share in ("-0.1", "1.000000000001"):
        with pytest.raises(ValueError, match=f"termination_fee is '{share}'"):
            overridden(released_terms(), OWN + f'termination_fee = "{share}"')


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('version = "own"', "the key 'effective_from' is missing"),
        ('time_zone = "Asia/Shangai"', "time_zone is 'Asia/Shangai': no such time zone"),
        ("reservations = 1", "reservations is 1: write a section"),
        ('[reservations]\ncap_usd = "-0.01"', "reservations.cap_usd is '-0.01': write US dollars"),
        ("[reservations]\ncap_usd = 50000", "reservations.cap_usd is 50000: write US dollars"),
        ("[reservations]\nnot_exchangeable = 'SuseLinux'", "is 'SuseLinux': write a list"),
        ("[reservations]\nswaps = ['Standard_F1']", r"swaps is \['Standard_F1'\]: write a section"),
        ('[reservations]\ncap_basis = "SOME"', "reservations.cap_basis is 'SOME'"),
    ],
)
def test_what_is_no_term_is_named_by_its_section_and_key(text: str, problem: str) -> None:
    own = 'version = "own"\neffective_from = 2026-07-01T00:00:00Z\n'
    with pytest.raises(ValueError, match=problem):
        overridden(released_terms(), text if "version" in text else own + text)
