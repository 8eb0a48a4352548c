"""Transactional producers: opens them, fences with them, and gives their identity."""

from __future__ import annotations

from typing import Any

from kafka import KafkaProducer, errors

from ledger.log.kafka.client.connection import close_producer, open_client
from ledger.log.kafka.client.settings import KafkaSettings, transactional_options
from ledger.log.seam import LogUnavailable


def fenced_producer(settings: KafkaSettings, transactional_id: str) -> Any:
    """A producer that has fenced all earlier ones of its id. Raises LogUnavailable."""
    options = transactional_options(settings, transactional_id)
    producer: Any = open_client(KafkaProducer, settings, options)
    try:
        producer.init_transactions()
    except errors.KafkaError as error:
        close_producer(producer)
        raise LogUnavailable(f"fence of {transactional_id}: {error!r}") from error
    return producer


def identity_of(producer: Any) -> tuple[int, int]:
    """The producer id and epoch of a transactional producer."""
    identity = producer._transaction_manager.producer_id_and_epoch
    return (identity.producer_id, identity.epoch)


def connections_of(producer: Any) -> set[Any]:
    """A producer's connections; a new connection is another object."""
    return set(producer._sender._client._manager._conns.values())
