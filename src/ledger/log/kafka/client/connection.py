"""Opens clients and queries brokers; raises one kind of error."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from kafka import errors

from ledger.log.kafka.client.access_check import AccessRefused, check_access
from ledger.log.kafka.client.settings import KafkaSettings
from ledger.log.kafka.client.sockets import close_refused_sockets
from ledger.log.seam import LogUnavailable

T = TypeVar("T")
_log = logging.getLogger(__name__)
_PAUSE_SECONDS = 0.05
_FORCED_SECONDS = 1.0


def open_client(client: Callable[..., T], settings: KafkaSettings, options: dict[str, Any]) -> T:
    """Construct a Kafka client, which connects at once. Raises LogUnavailable.

    A client that cannot connect leaves threads and sockets open when its construction fails, and
    does not say why. So this first looks for a broker that accepts us. The client starts from that
    one: it would choose among all at random, and wait for the one it chose. It learns the others
    from the cluster.
    """
    close_refused_sockets()
    accepting = _await_access(settings)
    try:
        return client(**{**options, "bootstrap_servers": [accepting]})
    except errors.KafkaConfigurationError:
        raise
    except (errors.KafkaError, OSError) as error:
        raise unreachable(settings) from error


def unreachable(settings: KafkaSettings) -> LogUnavailable:
    """The error for brokers that do not answer."""
    return LogUnavailable(
        f"no Kafka broker answers at {settings.bootstrap} within "
        f"{settings.connect_timeout_seconds:g} s; start one with 'refundctl up' or set "
        "KAFKA_BOOTSTRAP"
    )


def ask(settings: KafkaSettings, what: str, question: Callable[[], T]) -> T:
    """Send a read-only request to a broker, and repeat it until the connect timeout.

    Raises LogUnavailable, with `what` was requested, if the brokers give a final error.
    """
    deadline = time.monotonic() + settings.connect_timeout_seconds
    while True:
        try:
            return question()
        except (errors.KafkaConnectionError, errors.NodeNotReadyError, OSError) as error:
            if time.monotonic() >= deadline:
                raise unreachable(settings) from error
        except (errors.RetriableError, errors.UnknownBrokerIdError) as error:  # or no leader yet
            if time.monotonic() >= deadline:
                raise LogUnavailable(f"{what} at {settings.bootstrap}: {error!r}") from error
        except errors.KafkaError as error:
            raise LogUnavailable(f"{what} at {settings.bootstrap}: {error!r}") from error
        time.sleep(_PAUSE_SECONDS)


def ask_coordinator(settings: KafkaSettings, what: str, admin: Any, question: Callable[[], T]) -> T:
    """Like `ask`, for a request that only a coordinator can answer, over an admin's connection."""

    def looked_for_again() -> T:
        try:
            return question()
        except errors.KafkaError:
            forget_coordinators(admin)
            return question()

    return ask(settings, what, looked_for_again)


def forget_coordinators(admin: Any) -> None:
    """Let an admin look for coordinators again: it caches the broker of each without a limit,
    although this changes with every broker that is lost.
    """
    admin._manager.cluster._coordinators.clear()


def close_producer(producer: Any, timeout_seconds: float = 1.0) -> None:
    """Close a producer; unsent records are dropped.

    The client's own close gives up if records are unsent, and its thread stays alive to send them.
    """
    try:
        producer.close(timeout=timeout_seconds)
    except errors.KafkaError as error:
        _log.warning("closing a producer: %r", error)
        producer._sender.force_close()
        with contextlib.suppress(errors.KafkaError):
            producer.close(timeout=_FORCED_SECONDS)


def _await_access(settings: KafkaSettings) -> str:
    """Wait until one broker accepts us; its address. LogUnavailable, with the reason, if brokers
    refuse us or none answers in time. One that does not answer leaves the others their share of it.
    """
    deadline = time.monotonic() + settings.connect_timeout_seconds
    while True:
        refusals = []
        tried = addresses(settings)
        for number, (host, port) in enumerate(tried):
            share = (deadline - time.monotonic()) / (len(tried) - number)
            try:
                check_access(settings.security, host, port, max(_PAUSE_SECONDS, share))
            except AccessRefused as refused:
                refusals.append(refused)
            except OSError as error:
                _log.debug("%s:%d: %r", host, port, error)
            else:
                return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        if refusals:
            raise LogUnavailable(str(refusals[0])) from refusals[0]
        if time.monotonic() >= deadline:
            raise unreachable(settings)
        time.sleep(_PAUSE_SECONDS)


def addresses(settings: KafkaSettings) -> list[tuple[str, int]]:
    """Hosts and ports of the bootstrap brokers. LogUnavailable for a text that is none."""
    return [_address(text) for text in settings.bootstrap.split(",")]


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.strip().rpartition(":")
    if not host or not port.isdecimal():
        raise LogUnavailable(f"KAFKA_BOOTSTRAP has {text!r}; write host:port")
    return host.strip("[]"), int(port)
