"""The log on Apache Kafka: the only room that imports the client library."""

from ledger.log.kafka.client.settings import KafkaSettings
from ledger.log.kafka.log import KafkaLog
from ledger.log.kafka.reading.last_records import LastRecords, last_records
from ledger.log.kafka.reading.topic_tail import TopicTail
from ledger.log.kafka.replicas import Replicas, replicas
from ledger.log.kafka.tools import KafkaTools
from ledger.log.kafka.topics import create_topics, verify_world
from ledger.log.kafka.writing.single_writer import KafkaOnlyWriter

__all__ = [
    "KafkaLog",
    "KafkaOnlyWriter",
    "KafkaSettings",
    "KafkaTools",
    "LastRecords",
    "Replicas",
    "TopicTail",
    "create_topics",
    "last_records",
    "replicas",
    "verify_world",
]
