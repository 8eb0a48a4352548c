"""Transactional producers: opening them, fencing with them, and what tells one from another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kafka import KafkaProducer, errors

from ledger.log.kafka.client.connection import close_producer, open_client
from ledger.log.kafka.client.settings import KafkaSettings, transactional_options
from ledger.log.seam import LogUnavailable


def open_producer(settings: KafkaSettings, transactional_id: str) -> Any:
    """The client's producer under a transactional id, connected."""
    options = transactional_options(settings, transactional_id)
    return open_client(KafkaProducer, settings, options)


def fenced_producer(
    settings: KafkaSettings,
    transactional_id: str,
    new_producer: Callable[[KafkaSettings, str], Any] = open_producer,
) -> Any:
    """A producer that has shut out all earlier ones of its id. Raises LogUnavailable."""
    producer = new_producer(settings, transactional_id)
    try:
        producer.init_transactions()
    except errors.KafkaError as error:
        close_producer(producer)
        raise LogUnavailable(f"fence of {transactional_id}: {error!r}") from error
    return producer


def identity_of(producer: Any) -> tuple[int, int]:
    """The id and epoch that the brokers know a transactional producer by."""
    identity = producer._transaction_manager.producer_id_and_epoch
    return (identity.producer_id, identity.epoch)


def connections_of(producer: Any) -> set[Any]:
    """A producer's connections; one that was replaced is another object."""
    return set(producer._sender._client._manager._conns.values())
