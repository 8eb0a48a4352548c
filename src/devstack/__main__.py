"""Starts the supervisor in its own process; people use `refundctl up`.

It detaches from the process that called it, so that the caller does not wait for its end. It prints
the pid of the detached process.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    if pid := os.fork():
        sys.stdout.write(f"{pid}\n")
        raise SystemExit(0)
    # The caller waits until its pipe is closed; from here on all output goes to the log.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    from devstack.supervising.supervisor import supervise

    raise SystemExit(supervise(Path(sys.argv[1])))
