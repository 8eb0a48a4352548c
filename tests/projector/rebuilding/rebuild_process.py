"""A rebuild as a process of its own.

`python -m tests.projector.rebuilding.rebuild_process CONNINFO SETTINGS`
"""

from __future__ import annotations

import sys

import msgspec

from ledger.log.kafka import KafkaSettings, TopicTail
from ledger.log.seam import Topic
from projector.rebuilding.rebuild import rebuild
from projector.views import VIEWS

if __name__ == "__main__":
    conninfo, given = sys.argv[1:]
    tail = TopicTail(msgspec.json.decode(given, type=KafkaSettings), Topic.EVENTS)
    found = rebuild(conninfo, tail, VIEWS, print, verify=True, max_records=200)
    print("rebuilt", found.divergences, flush=True)
