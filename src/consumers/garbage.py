"""Postpones the search for garbage until a batch is done.

Odd for speed: amid a batch nearly everything lives that was made for it, and Python looks through
all of it again and again to find what does not. Afterwards it is gone without a search. Deciding
takes an eighth less time (`python -m benchmarks.decider`).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def searched_afterwards() -> Iterator[None]:
    """No search for cycles inside; a batch is bounded, and so is what waits for the search."""
    searching = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searching:
            gc.enable()
