"""Entry of the supervisor's own process; people use `refundctl up`."""

from __future__ import annotations

import sys
from pathlib import Path

from devstack.supervisor import supervise

if __name__ == "__main__":
    raise SystemExit(supervise(Path(sys.argv[1])))
