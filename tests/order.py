"""The order in which a distributed run begins the files of tests: what takes longest comes first.

A file runs on one worker. One that takes minutes and begins last leaves the other workers idle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

LONGEST = (
    "tests/secured/test_planted_secrets.py",
    "tests/consumers/processes/test_killed.py",
    "tests/secured/test_secure_stack.py",
    "tests/secured/test_rotation.py",
    "tests/publishers/test_publishers.py",
    "tests/deploy/test_dockerfile.py",
    "tests/deploy/test_backup_drill.py",
    "tests/house/test_programs.py",
    "tests/projector/following/test_process.py",
    "tests/console/demo/test_demo.py",
    "tests/consumers/processes/test_webhooks_killed.py",
    "tests/console/web/walk/test_walk.py",
    "tests/hostile/test_hostile.py",
    "tests/secured/test_forged_commands.py",
    "tests/console/commands/test_stack.py",
    "tests/browser/test_filled_pages.py",
    "tests/browser/test_acting.py",
    "tests/devstack/test_start_and_stop.py",
    "tests/console/submitting/test_sandbox.py",
)
"""The longest first; each takes more than a quarter of a minute of two processors."""


def places(files: Sequence[str], real: Collection[str]) -> dict[str, int]:
    """Where each file comes, by the file of every test and those that run on real services:
    1. the longest, 2. what runs on real services, 3. all others. Of 2. and 3. those with most tests
    come first.
    """
    counts, longest = Counter(files), {name: place for place, name in enumerate(LONGEST)}

    def order(name: str) -> tuple[int, bool, int, str]:
        return longest.get(name, len(LONGEST)), name not in real, -counts[name], name

    return {name: place for place, name in enumerate(sorted(counts, key=order))}
