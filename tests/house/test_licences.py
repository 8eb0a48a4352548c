"""Nothing under a GPL licence is imported at run time."""

from __future__ import annotations

import re

from tools.dependencies import RUN_AS_PROGRAMS, closure, extras, licences, required

GPL = re.compile(r"(?<![A-Za-z])A?GPL|(?<!Lesser )General Public License", re.IGNORECASE)


def runtime_distributions() -> set[str]:
    """The names of all distributions that any installation needs at run time."""
    return closure([*required(), *(text for asked in extras().values() for text in asked)])


def test_no_runtime_dependency_is_under_the_gpl() -> None:
    names = runtime_distributions() - set(RUN_AS_PROGRAMS)
    gpl = {name: licence for name in names for licence in licences(name) if GPL.search(licence)}
    assert gpl == {}


def test_every_runtime_dependency_states_a_licence() -> None:
    assert [name for name in sorted(runtime_distributions()) if not any(licences(name))] == []


def test_the_gpl_is_recognised_and_the_lesser_one_is_not_taken_for_it() -> None:
    assert GPL.search("GPL-3.0-only")
    assert GPL.search("License :: OSI Approved :: GNU General Public License v2 (GPLv2)")
    assert GPL.search("AGPL-3.0-or-later")
    assert not GPL.search("LGPL-2.1-or-later")
    assert not GPL.search(
        "License :: OSI Approved :: GNU Lesser General Public License v2 or later (LGPLv2+)"
    )
