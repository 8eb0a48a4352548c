"""Sends runs of deliveries in a thread of its own, each run in order, many runs at a time."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC
from email.utils import parsedate_to_datetime
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

import httpcore2
from msgspec import Struct

from consumers.clock import Clock
from consumers.webhooks.hooks import Hook, Secret
from consumers.webhooks.signing import headers
from consumers.webhooks.targets import CheckedNetwork, TargetRefused
from ledger.values.instants import SECOND, Instant, from_datetime

PER_HOOK = 8
"""Requests of one hook at a time, each of another account."""
ANSWER_SECONDS = 10.0
CONNECT_SECONDS = 5.0
RUN_SECONDS = 5.0
"""After so long a run ends early, so that what was delivered is recorded."""
_REST_BYTES, _REST_SECONDS = 16_384, 1.0
"""How much of an answer is read, and how long, only to use the connection again."""
_SAID = 200
"""So many characters of an error are kept; it can repeat what a receiver sent."""
_RESOLVERS = 64
_IDLE_SECONDS = 30.0
_GONE = 410
_BUSY = frozenset({429, 503})

T = TypeVar("T")
Unwrap = Callable[[str, Secret], bytes]
"""A hook's id and a stored secret → the secret's bytes. ValueError with the reason if it cannot."""


class Delivery(Struct, frozen=True, kw_only=True):
    """One event for one hook."""

    offset: int
    webhook_id: str
    body: bytes


class Run(Struct, frozen=True, kw_only=True):
    """The next deliveries of an account to a hook, in order. `failing`: the last try failed."""

    hook: Hook
    account_id: str
    deliveries: tuple[Delivery, ...]
    failing: bool = False


class Failure(Struct, frozen=True, kw_only=True):
    """Why the next delivery was not taken. `gone`: the receiver wants no more, ever; `asked` is how
    long it asked to wait.
    """

    why: str
    gone: bool = False
    asked: Instant | None = None


class RunEnd(Struct, frozen=True, kw_only=True):
    """What became of a run: how many were delivered, and what stopped it, if anything did."""

    run: Run
    delivered: int
    failure: Failure | None = None


class Sending(Struct, frozen=True, kw_only=True):
    """How it is sent."""

    network: CheckedNetwork
    clock: Clock
    unwrap: Unwrap
    answer_seconds: float = ANSWER_SECONDS
    run_seconds: float = RUN_SECONDS
    tls: ssl.SSLContext | None = None


class Sender:
    """Sends in a thread of its own. All methods are called by one other thread.

    Each hook has its own connections, so that a receiver that does not answer holds up no other.
    """

    def __init__(self, sending: Sending) -> None:
        self._sending = sending
        self._tls = sending.tls or ssl.create_default_context()
        self._ended: SimpleQueue[RunEnd | BaseException] = SimpleQueue()
        self._pools: dict[str, httpcore2.AsyncConnectionPool] = {}
        self._under_way: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(_RESOLVERS, "resolver"))
        self._thread = Thread(target=self._loop.run_forever, name="webhooks", daemon=True)
        self._thread.start()

    def start(self, run: Run) -> None:
        """Begin to send a run; `ended` tells what became of it."""
        sent = asyncio.run_coroutine_threadsafe(self._noted(self._send(run)), self._loop)
        sent.add_done_callback(self._end)

    def ended(self, wait_seconds: float) -> list[RunEnd]:
        """The runs that have ended; waits for the first. Raises what a bug raised."""
        found: list[RunEnd] = []
        try:
            while True:
                end = self._ended.get(timeout=0 if found or not wait_seconds else wait_seconds)
                if isinstance(end, BaseException):
                    raise end
                found.append(end)
        except Empty:
            return found

    def forget(self, hook_id: str) -> None:
        """Close the connections of a hook that has ended."""
        pool = self._pools.pop(hook_id, None)
        if pool is not None:
            asyncio.run_coroutine_threadsafe(self._noted(pool.aclose()), self._loop)

    def close(self) -> None:
        """Stop at once. Whoever has not answered yet gets the same again."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _end(self, future: Future[RunEnd]) -> None:
        if not future.cancelled():
            self._ended.put(future.exception() or future.result())

    async def _noted(self, work: Coroutine[Any, Any, T]) -> T:
        """The same, noted as one that `_stop` has to end."""
        task = asyncio.current_task()
        assert task is not None
        self._under_way.add(task)
        try:
            return await work
        finally:
            self._under_way.discard(task)

    async def _stop(self) -> None:
        """Our own tasks are told; each ends those that the library began for it."""
        under_way = list(self._under_way)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        for pool in self._pools.values():
            await pool.aclose()

    async def _send(self, run: Run) -> RunEnd:
        clock = asyncio.get_running_loop().time
        until = clock() + self._sending.run_seconds
        try:
            secrets = [self._sending.unwrap(run.hook.hook_id, each) for each in run.hook.secrets]
        except ValueError as error:
            return RunEnd(run=run, delivered=0, failure=Failure(why=str(error)))
        for number, each in enumerate(run.deliveries):
            if number and clock() >= until:
                return RunEnd(run=run, delivered=number)
            failure = await self._deliver(run.hook, each, secrets)
            if failure is not None:
                return RunEnd(run=run, delivered=number, failure=failure)
        return RunEnd(run=run, delivered=len(run.deliveries))

    async def _deliver(
        self, hook: Hook, each: Delivery, secrets: Sequence[bytes]
    ) -> Failure | None:
        try:
            async with asyncio.timeout(self._sending.answer_seconds):
                return await self._post(hook, each, secrets)
        except TimeoutError:
            return Failure(why=f"no answer within {self._sending.answer_seconds:g} s")
        except TargetRefused as error:
            return Failure(why=str(error))
        except (httpcore2.NetworkError, httpcore2.TimeoutException) as error:
            return Failure(why=f"no connection: {_said(error)}")
        except httpcore2.ProtocolError as error:
            return Failure(why=f"the answer is not HTTP: {_said(error)}")
        except OSError as error:
            return Failure(why=f"its address is not known: {_said(error)}")

    async def _post(self, hook: Hook, each: Delivery, secrets: Sequence[bytes]) -> Failure | None:
        now = self._sending.clock.now()
        told = headers(each.webhook_id, now, each.body, secrets)
        told |= {"content-type": "application/json", "user-agent": "refund-ledger"}
        async with self._pool(hook).stream(
            "POST",
            hook.url,
            headers=[*told.items()],
            content=each.body,
            extensions={"timeout": {"connect": CONNECT_SECONDS}},
        ) as answer:
            failure = _judged(answer, now)
            await _rest_of(answer)
        return failure

    def _pool(self, hook: Hook) -> httpcore2.AsyncConnectionPool:
        found = self._pools.get(hook.hook_id)
        if found is None:
            found = self._pools[hook.hook_id] = httpcore2.AsyncConnectionPool(
                ssl_context=self._tls,
                max_connections=PER_HOOK,
                keepalive_expiry=_IDLE_SECONDS,
                network_backend=self._sending.network,
            )
        return found


def _judged(answer: httpcore2.Response, now: Instant) -> Failure | None:
    """What a status says; a redirect is not followed, so it is a failure like others."""
    if 200 <= answer.status < 300:
        return None
    asked = None
    if answer.status in _BUSY:
        values = [value for name, value in answer.headers if name.lower() == b"retry-after"]
        asked = _asked(values[0].decode("ascii", "replace"), now) if values else None
    return Failure(why=f"status {answer.status}", gone=answer.status == _GONE, asked=asked)


def _asked(text: str, now: Instant) -> Instant | None:
    """How long a Retry-After says to wait, in seconds or until a date; None if it says neither."""
    if text.isdecimal() and len(text) <= 9:
        return int(text) * SECOND
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max(0, from_datetime(until.replace(tzinfo=until.tzinfo or UTC)) - now)


async def _rest_of(answer: httpcore2.Response) -> None:
    """Read what is left, if that is little. The status is known: nothing here changes it."""
    size = 0
    try:
        async with asyncio.timeout(_REST_SECONDS):
            async for part in answer.aiter_stream():
                size += len(part)
                if size > _REST_BYTES:
                    return
    except (TimeoutError, httpcore2.NetworkError, httpcore2.ProtocolError):
        return


def _said(error: Exception) -> str:
    return str(error).strip()[:_SAID] or type(error).__name__
