"""A projector as a process of its own.

`python -m tests.projector.following.process CONNINFO SETTINGS`
"""

from __future__ import annotations

import sys

import msgspec

from ledger.log.kafka import KafkaSettings, TopicTail
from ledger.log.seam import Topic
from projector.following.projection import Projection
from projector.runner import run, stop_on_signals

if __name__ == "__main__":
    conninfo, given = sys.argv[1:]
    settings = msgspec.json.decode(given, type=KafkaSettings)
    run(
        Projection(conninfo=conninfo, max_records=200),
        lambda: TopicTail(settings, Topic.EVENTS),
        stop_on_signals(),
    )
