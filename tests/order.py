"""The order in which a distributed run begins the files of tests: what takes longest comes first.

A file runs on one worker. One that takes minutes and begins last leaves the other workers idle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

LONGEST = (
    "tests/secured/test_planted_secrets.py",
    "tests/secured/test_secure_stack.py",
    "tests/consumers/processes/test_killed.py",
    "tests/publishers/test_publishers.py",
    "tests/deploy/test_dockerfile.py",
    "tests/console/commands/test_people.py",
    "tests/hostile/test_hostile.py",
    "tests/console/commands/test_stack.py",
    "tests/house/test_programs.py",
    "tests/deploy/test_backup_drill.py",
    "tests/console/web/walk/test_walk.py",
    "tests/consumers/processes/test_webhooks_killed.py",
)
"""Each takes more than half a minute of a quiet machine with two processors."""


def places(files: Sequence[str], real: Collection[str]) -> dict[str, int]:
    """Where each file comes, by the file of every test and those that run on real services:
    1. the longest, 2. what runs on real services, 3. all others. Of 2. and 3. those with most tests
    come first.
    """
    counts, longest = Counter(files), {name: place for place, name in enumerate(LONGEST)}

    def order(name: str) -> tuple[int, bool, int, str]:
        return longest.get(name, len(LONGEST)), name not in real, -counts[name], name

    return {name: place for place, name in enumerate(sorted(counts, key=order))}
