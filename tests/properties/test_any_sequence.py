"""Any sequence of commands, by anybody, on any account, in any order: no invariant is violated.

`make properties COMMANDS=100000` gives as many as asked for. The seed is fixed and printed, so that
a run is the same everywhere; SEED asks for another.
"""

from __future__ import annotations

import os
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from ledger.terms.table import CapBasis, TermsTable, UpgradeUseUntil, released_terms
from ledger.values.instants import DAY, HOUR, MINUTE
from ledger.vocabulary.events import CommandRefused
from tests.properties.eligibility import as_said
from tests.properties.proposals import proposed, stocked
from tests.properties.world import ACCOUNTS, CARD, CSP, EA, ONLINE, World
from tests.scenario import with_terms

COMMANDS = int(os.environ.get("COMMANDS") or 2_000)
SEED = int(os.environ.get("SEED") or 20261124)
STEPS_OF_A_STORY = 80
WAITS = [0, 0, 0, 1, MINUTE, HOUR, 3 * HOUR, DAY, DAY, 2 * DAY, 5 * DAY, 7 * DAY + 1, 33 * DAY]
STEP = st.tuples(
    st.integers(0, 447),
    st.integers(0, 63),
    st.integers(0, 63),
    st.integers(1, 9) | st.integers(1, 500) | st.integers(1, 10**6),
    st.sampled_from(WAITS),
)
FOCUS = [ONLINE, ONLINE, ONLINE, CSP, EA, CARD]
STEPS = st.lists(STEP, min_size=STEPS_OF_A_STORY, max_size=STEPS_OF_A_STORY)
Step = tuple[int, int, int, int, int]
TERMS = st.builds(
    lambda fee, basis, until: with_terms(
        released_terms(),
        full_refunds_per_account=2,
        ordinary_returns_per_account=4,
        self_service_refunds_per_account=3,
        cap_usd=400_000,
        termination_fee=fee,
        cap_basis=basis,
        upgrade_use_until=until,
    ),
    st.sampled_from([Fraction(0), Fraction(12, 100)]),
    st.sampled_from(CapBasis),
    st.sampled_from(UpgradeUseUntil),
)
CURRENCIES = st.fixed_dictionaries(
    {
        ONLINE: st.sampled_from(["CNY", "JPY", "KWD"]),
        EA: st.sampled_from(["EUR", "JPY"]),
        CSP: st.just("USD"),
        CARD: st.sampled_from(["USD", "KWD"]),
    }
)


def told(commands: int) -> tuple[Counter[str], int]:
    """So many commands in stories; how often each event or code came of them, and the stories."""
    came: Counter[str] = Counter()
    stories = 0

    @seed(SEED)
    @settings(
        max_examples=1 + commands // STEPS_OF_A_STORY,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(terms=TERMS, currencies=CURRENCIES, focus=st.sampled_from(FOCUS), steps=STEPS)
    def story(terms: TermsTable, currencies: dict[str, str], focus: str, steps: list[Step]) -> None:
        nonlocal stories
        w = World(terms, currencies)
        which, a, b, amount, _ = steps[-1]
        stocked(w, focus, (a, b, amount) if which % 2 else None)
        for which, a, b, amount, wait in steps:
            w.s.later(wait).account = focus if which % 8 else list(ACCOUNTS)[which % 4]
            proposed(w.s.account, which // 8)(w, a, b, amount)
            if which % 4 == 1:
                as_said(w, a, b)
        w.recounted()
        w.told_again()
        stories += 1
        came["commands"] += len(w.given)
        for outcome in w.outcomes:
            came.update(_names(outcome))

    story()
    return came, stories


def _names(outcome: tuple[object, ...]) -> list[str]:
    if not outcome:
        return ["nothing: a duplicate"]
    return [
        name
        for body in outcome
        for name in (
            [one.code for one in body.violations]
            if isinstance(body, CommandRefused)
            else [type(body).__name__]
        )
    ]


def test_no_invariant_is_violated(capsys: pytest.CaptureFixture[str]) -> None:
    came, stories = told(COMMANDS)
    commands = came.pop("commands")
    assert commands >= COMMANDS
    with capsys.disabled():
        print(
            f"\nproperties: {commands} commands in {stories} stories, seed {SEED}: "
            f"no invariant violated; {len(came)} kinds of events and refusals came of them"
        )
        if "COMMANDS" in os.environ:
            print("\n".join(f"{times:8} {name}" for name, times in came.most_common()))
