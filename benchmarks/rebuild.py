"""What a rebuild costs as a log grows: events a second, and the memory of the process.

Run it as `python -m benchmarks.rebuild [--events N ...]`. Each number of events is a run in a
process of its own, on a database of its own: the events are projected, then the read models are
built again
beside them and compared. Memory that grows with the log would show between the runs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from threading import Event as Flag

from benchmarks import kit
from benchmarks.projector import Records, database, story_of
from projector.following.projection import Projection
from projector.migrations import migrate
from projector.rebuilding.rebuild import rebuild
from projector.runner import run
from projector.views import VIEWS


def main() -> None:
    """Run each number of events; print and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, nargs="+", default=[20_000, 80_000])
    parser.add_argument("--one", action="store_true", help="one run, in this process")
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(_measure(asked.events[0])))
        return
    runs = []
    for events in asked.events:
        command = [sys.executable, "-m", "benchmarks.rebuild", "--one", "--events", str(events)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        runs.append(json.loads(done.stdout.splitlines()[-1]))
        print(
            "{events:>9} events: {events_a_second:>7} a second, {microseconds} µs of processor an "
            "event, {grown_megabytes} MB more than before the rebuild".format(**runs[-1])
        )
    kit.keep("rebuild", settings={"events": asked.events}, figures={"runs": runs})


def _measure(events: int) -> dict[str, object]:
    story = story_of(events)
    count = sum(len(each) for each in story.values.values())
    with database() as conninfo:
        migrate(conninfo)
        stop = Flag()
        source = Records(story.values, stop)
        run(Projection(conninfo=conninfo), lambda: source, stop)
        kit.forget_peak()
        before, start, used = kit.peak_megabytes(), time.monotonic(), time.process_time()
        divergences = rebuild(conninfo, source, VIEWS, verify=True).divergences
        seconds, spent = time.monotonic() - start, time.process_time() - used
    if divergences:
        raise SystemExit("a rebuild gave other rows than the projector")
    return {
        "events": count,
        "events_a_second": round(count / seconds),
        "microseconds": round(spent / count * 1e6, 1),
        "grown_megabytes": round(kit.peak_megabytes() - before),
    }


if __name__ == "__main__":
    main()
