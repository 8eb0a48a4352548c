"""A rebuild as a process of its own.

`python -m tests.projector.rebuilding.rebuild_process CONNINFO SETTINGS`
"""

from __future__ import annotations

import sys

import msgspec
from msgspec.structs import replace

from ledger.log.kafka import KafkaSettings, TopicTail
from ledger.log.seam import Topic
from projector.rebuilding.rebuild import rebuild
from projector.views import VIEWS
from tests.services import security

if __name__ == "__main__":
    conninfo, given = sys.argv[1:]
    settings = replace(msgspec.json.decode(given, type=KafkaSettings), security=security())
    tail = TopicTail(settings, Topic.EVENTS)
    found = rebuild(conninfo, tail, VIEWS, print, verify=True, max_records=200)
    print("rebuilt", found.divergences, flush=True)
