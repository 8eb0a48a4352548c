"""The log on Apache Kafka: the only room that knows the client library."""

from ledger.kafka_log.log import KafkaLog
from ledger.kafka_log.only_writer import KafkaOnlyWriter
from ledger.kafka_log.replicas import Replicas, replicas
from ledger.kafka_log.settings import KafkaSettings
from ledger.kafka_log.tail import KafkaTail
from ledger.kafka_log.tools import KafkaTools
from ledger.kafka_log.topics import create_topics, verify_world

__all__ = [
    "KafkaLog",
    "KafkaOnlyWriter",
    "KafkaSettings",
    "KafkaTail",
    "KafkaTools",
    "Replicas",
    "create_topics",
    "replicas",
    "verify_world",
]
