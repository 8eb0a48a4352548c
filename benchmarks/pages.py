"""How long the pages take on a large ledger: one person, and fifty while commands are decided.

Run it as `python -m benchmarks.pages [--commands N] [--accounts N] [--readers N] [--rate R]`. The
pages are found by following the links of the overview, some of each route. 1. One person asks for
each page in turn. 2. The commands of the rate are decided for some time, nobody reads. 3. The same
while the readers ask for pages, each for the next one some seconds after it got the last: how long
they take, and what a command costs the decider more than without them.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from itertools import cycle, islice
from threading import Event as Flag

import httpx2
import psycopg
from msgspec import Struct, structs

from benchmarks import kit, latency, whole
from benchmarks.mix import commands
from benchmarks.stacks import Stack, stack
from console.rendering.reports.stack import pages_of
from console.web.access import people
from devstack import status
from ledger.log.seam import Outgoing

OF_A_ROUTE, ASKED, WARM_UP = 5, 40, 3
AT_ONCE = 20_000
TICK_SECONDS = 0.1
LINK = re.compile(r'href="(/[^"#]*)"')
ID = re.compile(r"(?<=/)[^/]*[0-9][^/]*")


class Route(Struct, frozen=True, kw_only=True):
    """Milliseconds of one kind of page."""

    route: str
    asked: int
    p50: float
    p99: float


class Load(Struct, frozen=True, kw_only=True):
    """What the decider did with some commands, and what readers saw meanwhile."""

    commands: int
    decider_microseconds: float
    pages: int = 0
    p50: float = 0.0
    p95: float = 0.0


def main() -> None:
    """Fill a ledger, measure, print and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", type=int, default=750_000)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--rate", type=float, default=500.0)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--pause", type=float, default=5.0, help="seconds a reader looks at a page")
    asked = parser.parse_args()
    with stack(4, pages=True) as made:
        stream = commands(asked.commands, time.time_ns() // 1000, 4, asked.accounts)
        events = _fill(made, stream)
        print(f"{events} events of {asked.accounts} accounts")
        client = _client(made)
        paths = found_paths(client)
        routes = [_ask(client, route, each) for route, each in sorted(paths.items())]
        every = [path for each in paths.values() for path in each]
        loads = [
            _load(made, client, asked, number, every if number % 2 else ()) for number in range(4)
        ]
        made.check_restarts()
    with_readers, without = loads[1::2], loads[::2]
    cost = min(e.decider_microseconds for e in with_readers) / min(
        e.decider_microseconds for e in without
    )
    print(f"with readers a command costs the decider {cost:.2f} times as much")
    kit.keep(
        "pages",
        settings=vars(asked),
        figures={
            "events": events,
            "routes": [structs.asdict(each) for each in routes],
            "loads": [structs.asdict(each) for each in loads],
            "cost": round(cost, 2),
        },
    )


def _fill(made: Stack, stream: Iterable[Outgoing]) -> int:
    """Publish everything and wait until it is shown; how many events there are."""
    tools = made.tools()
    given = iter(stream)
    while some := list(islice(given, AT_ONCE)):
        tools.publish(some)
    whole.followed(made, tools, time.monotonic())
    tools.close()
    with psycopg.connect(made.database_url) as connection:
        row = connection.execute("SELECT count(*) FROM finance.events").fetchone()
    assert row is not None
    return int(row[0])


def _client(made: Stack) -> httpx2.Client:
    """Asks as an operator with a token."""
    url = pages_of(status(made.home))
    assert url is not None
    roles = ["operator", "finance", "support", "auditor"]
    with psycopg.connect(made.database_url, autocommit=True) as connection:
        token = people.new_token(connection, "bench", roles, 1)
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/html"}
    return httpx2.Client(base_url=url, headers=headers, timeout=60.0)


def found_paths(client: httpx2.Client) -> Mapping[str, list[str]]:
    """Route → some of its pages, by following links from the overview. A route is a path whose
    parts with digits are left open.
    """
    found: dict[str, list[str]] = defaultdict(list)
    waiting, seen = ["/"], {"/"}
    while waiting:
        path = waiting.pop(0)
        answer = client.get(path)
        if answer.status_code != 200:
            raise SystemExit(f"{path}: {answer.status_code}")
        found[_route(path)].append(path)
        for link in map(unescape, LINK.findall(answer.text)):
            if link not in seen and _is_page(link) and len(found[_route(link)]) < OF_A_ROUTE:
                seen.add(link)
                if sum(_route(each) == _route(link) for each in waiting) < OF_A_ROUTE:
                    waiting.append(link)
    return {route: paths for route, paths in found.items() if paths}


def _route(path: str) -> str:
    bare = path.partition("?")[0]
    return ID.sub("…", bare) if not bare.startswith("/lists/") else bare


def _is_page(path: str) -> bool:
    """Whole exports are no pages."""
    apart = ("/v1/", "/static/", "/signout", "/live")
    return not path.startswith(apart) and "lang=" not in path and "/rows." not in path


def _ask(client: httpx2.Client, route: str, paths: Sequence[str]) -> Route:
    for path in paths[:WARM_UP]:
        client.get(path)
    taken = sorted(_milliseconds(client, path) for path in islice(cycle(paths), ASKED))
    made = Route(
        route=route, asked=ASKED, p50=kit.percentile(taken, 50), p99=kit.percentile(taken, 99)
    )
    print(f"{route:<44} p50 {made.p50:7.1f} ms  p99 {made.p99:7.1f} ms")
    return made


def _milliseconds(client: httpx2.Client, path: str) -> float:
    start = time.monotonic()
    client.get(path).raise_for_status()
    return (time.monotonic() - start) * 1000


def _load(
    made: Stack,
    client: httpx2.Client,
    asked: argparse.Namespace,
    number: int,
    paths: Sequence[str],
) -> Load:
    """Commands at the rate, for some time; with paths, read by that many persons meanwhile."""
    count, stop = int(asked.rate * asked.seconds), Flag()
    records = list(commands(count, time.time_ns() // 1000, 4, name=f"more-{number}"))
    before = made.processor_seconds()["decider"]
    with ThreadPoolExecutor(asked.readers) as pool:
        reading = [
            pool.submit(_read_on, client, (*paths[at:], *paths[:at]), asked.pause, stop)
            for at in (reader % len(paths) for reader in range(asked.readers if paths else 0))
        ]
        tools = made.tools()
        latency.publish(tools, records, asked.rate, TICK_SECONDS)
        whole.followed(made, tools, time.monotonic())
        tools.close()
        stop.set()
        taken = sorted(each for done in reading for each in done.result())
    spent = (made.processor_seconds()["decider"] - before) / len(records) * 1e6
    load = Load(commands=len(records), decider_microseconds=round(spent, 1))
    if taken:
        load = structs.replace(
            load, pages=len(taken), p50=kit.percentile(taken, 50), p95=kit.percentile(taken, 95)
        )
    print(
        f"{asked.rate:.0f} commands a second, {asked.readers if paths else 0} readers: decider "
        f"{load.decider_microseconds} µs a command; {load.pages} pages, p50 {load.p50} ms, p95 "
        f"{load.p95} ms"
    )
    return load


def _read_on(client: httpx2.Client, paths: Sequence[str], pause: float, stop: Flag) -> list[float]:
    """Milliseconds of each page."""
    taken: list[float] = []
    stop.wait(random.uniform(0, pause))
    for path in cycle(paths):
        if stop.is_set():
            break
        taken.append(_milliseconds(client, path))
        stop.wait(pause)
    return taken


if __name__ == "__main__":
    main()
