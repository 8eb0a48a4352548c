"""A rebuild as a process: `python -m tests.projector.rebuild_process CONNINFO SETTINGS`."""

from __future__ import annotations

import sys

import msgspec

from ledger.kafka_log import KafkaSettings, KafkaTail
from ledger.log import Topic
from projector.rebuild import rebuild
from projector.views import VIEWS

if __name__ == "__main__":
    conninfo, given = sys.argv[1:]
    tail = KafkaTail(msgspec.json.decode(given, type=KafkaSettings), Topic.EVENTS)
    found = rebuild(conninfo, tail, VIEWS, print, verify=True, max_records=200)
    print("rebuilt", found.divergences, flush=True)
