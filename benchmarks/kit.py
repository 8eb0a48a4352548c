"""What the benchmarks share: timing by processor time, peak memory, and the files of results.

The clock on the wall says little on a machine that others use. So each way is timed by the
processor time that it took, the ways take turns in one run, and only ratios between them are worth
comparing with another run's.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import resource
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from msgspec import Struct

RESULTS = Path(__file__).parent / "results"
ROOT = Path(__file__).parents[1]
_LIBRARIES = ("fastavro", "kafka-python", "msgspec", "psycopg")


class Timing(Struct, frozen=True, kw_only=True):
    """Processor seconds of one way: the best and the worst of its runs."""

    best: float
    worst: float

    def microseconds(self, count: int) -> float:
        """Of the best run, for each of `count` things done."""
        return round(self.best / count * 1e6, 2)


def interleaved(
    ways: Mapping[str, Callable[[], object]], *, rounds: int = 5, warm_ups: int = 1
) -> dict[str, Timing]:
    """Time each way `rounds` times, by turns; before that, each runs `warm_ups` times unmeasured.

    Garbage is collected before each run, so that none pays for the one before.
    """
    for _ in range(warm_ups):
        for way in ways.values():
            way()
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            gc.collect()
            found[name].append(processor_seconds(way))
    return {name: Timing(best=min(each), worst=max(each)) for name, each in found.items()}


def processor_seconds(work: Callable[[], object]) -> float:
    """The processor time of this process, all threads, that the work takes."""
    before = time.process_time()
    work()
    return time.process_time() - before


def peak_megabytes(pid: int | None = None) -> float:
    """The most memory that a process had so far; None: this process."""
    lines = Path(f"/proc/{pid or os.getpid()}/status").read_text().splitlines()
    (line,) = [each for each in lines if each.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def forget_peak() -> None:
    """Let the peak of this process begin again at what it has now."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")


def children_seconds() -> float:
    """The processor time of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def seconds_of(pid: int) -> float:
    """The processor time that a process has used so far, without its children."""
    return sum(_times(pid)[:2])


def seconds_of_all(pid: int) -> float:
    """The same with all its children, also those that have ended: PostgreSQL works in them."""
    try:
        own = sum(_times(pid))
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:  # it ended meanwhile, and is in what its parent waited for
        return 0.0
    return own + sum(seconds_of_all(int(child)) for child in children)


def _times(pid: int) -> list[float]:
    """User and system time of a process, and then of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return [int(each) / os.sysconf("SC_CLK_TCK") for each in fields[11:15]]


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Of sorted values the one below which so many percent of them are, to one decimal place."""
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))], 1)


def commit() -> str:
    """The commit that is measured; with `-dirty` if files differ from it."""
    told = _git("rev-parse", "--short", "HEAD")
    return f"{told}-dirty" if _git("status", "--porcelain", "--untracked-files=no") else told


def machine() -> dict[str, object]:
    """What ran the benchmark."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "processor": names[0] if names else platform.machine(),
        "processors": os.cpu_count(),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "system": platform.release(),
        "load": round(os.getloadavg()[0], 1),
    }


def keep(
    name: str,
    *,
    settings: Mapping[str, object],
    figures: Mapping[str, object],
    folder: Path = RESULTS,
) -> Path:
    """Write `benchmarks/results/NAME.json`, with machine, versions, commit and settings."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    told = {
        "benchmark": name,
        "commit": commit(),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine(),
        "python": platform.python_version(),
        "libraries": {each: version(each) for each in _LIBRARIES},
        "settings": dict(settings),
        "figures": dict(figures),
    }
    path.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    return path


def _git(*words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(ROOT), *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()
