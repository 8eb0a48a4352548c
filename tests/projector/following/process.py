"""A projector as a process of its own.

`python -m tests.projector.following.process CONNINFO SETTINGS`
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from ledger.log.kafka import KafkaSettings, TopicTail
from ledger.log.seam import Topic
from projector.following.projection import Projection
from projector.runner import run, stop_on_signals
from tests.services import security
from tools.program import arguments

if __name__ == "__main__":
    told = arguments(__doc__, "conninfo", "settings")
    settings = replace(msgspec.json.decode(told.settings, type=KafkaSettings), security=security())
    run(
        Projection(conninfo=told.conninfo, max_records=200),
        lambda: TopicTail(settings, Topic.EVENTS),
        stop_on_signals(),
    )
