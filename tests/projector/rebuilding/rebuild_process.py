"""A rebuild as a process of its own.

`python -m tests.projector.rebuilding.rebuild_process CONNINFO SETTINGS`
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from ledger.log.kafka import KafkaSettings, TopicTail
from ledger.log.seam import Topic
from projector.rebuilding.rebuild import rebuild
from projector.views import VIEWS
from tests.services import security
from tools.program import arguments

if __name__ == "__main__":
    told = arguments(__doc__, "conninfo", "settings")
    settings = replace(msgspec.json.decode(told.settings, type=KafkaSettings), security=security())
    tail = TopicTail(settings, Topic.EVENTS)
    found = rebuild(told.conninfo, tail, VIEWS, print, verify=True, max_records=200)
    print("rebuilt", found.divergences, flush=True)
