"""Entry of the supervisor's own process; people use `refundctl up`.

It leaves the process that called it, so that no caller has to wait for it to end: what is printed
is the pid it goes on under.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    if pid := os.fork():
        sys.stdout.write(f"{pid}\n")
        raise SystemExit(0)
    # The caller waits for the end of its pipe; from here on all output goes to the log.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    from devstack.supervising.supervisor import supervise

    raise SystemExit(supervise(Path(sys.argv[1])))
