"""The services that tests and the product share: real, answering, separate per test."""

from __future__ import annotations

import psycopg
from kafka import KafkaAdminClient

from devstack import Services
from ledger.log.kafka import KafkaSettings
from ledger.log.kafka.client.settings import admin_options
from tests.services import security


def test_the_broker_answers_and_refuses_to_make_topics_up(services: Services) -> None:
    settings = KafkaSettings(bootstrap=services.bootstrap, partition_count=1, security=security())
    admin = KafkaAdminClient(**admin_options(settings))
    try:
        admin.describe_topics(["no-such-topic"])
        assert "no-such-topic" not in admin.list_topics()
    finally:
        admin.close()


def test_a_database_starts_empty(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE once (id int)")
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        assert rows.fetchall() == [("once",)]


def test_the_next_database_knows_nothing_of_the_last_one(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE once (id int)")
