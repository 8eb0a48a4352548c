"""The demonstration tells its story on a real stack, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from console.demo.closing import ZERO_SUM
from console.demo.scene import lines_of
from console.demo.scenes import SCENES
from devstack.system.process_identity import marked

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]


def demo(folder: Path) -> subprocess.Popen[str]:
    """The demonstration, with temporary folders of its own to look at."""
    hidden = ("KAFKA_BOOTSTRAP", "DATABASE_URL", "REFUNDS_HOME")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.Popen(
        [sys.executable, "-m", "console.main", "demo"],
        env={**environment, "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def homes_in(folder: Path) -> list[Path]:
    return list(folder.glob("refunds-demo-*"))


def test_every_scene_is_made_of_valid_commands_in_time_order() -> None:
    currencies = {scene.account: "CNY" for scene in SCENES} | {"acct-foundry": "USD"}
    instants = [line.at for scene in SCENES for line in lines_of(scene, currencies)]
    assert instants == sorted(instants, key=lambda instant: instant or 0)


def test_the_story_is_told_to_its_end(tmp_path: Path) -> None:
    process = demo(tmp_path)
    out, err = process.communicate(timeout=500)

    assert (process.returncode, err) == (0, "")
    for scene in SCENES:
        assert scene.title in out
    for figure in ("407.96 CNY by FIVE_DAYS_NO_REASON", "387.80 CNY by ORDINARY_RETURN"):
        assert f"✓ InstanceReturnQuoted  {figure}" in out
    assert "✗ CommandRefused  SELF_SERVICE_NOT_SUPPORTED" in out
    assert "✓ 2026-01-21 08:05:00  InstanceDestroyed  redis-2" in out
    assert_the_other_stories_are_told(out)
    assert re.search(r"acct-tea-shop +CNY +390\.12 +405\.64 +795\.76\n", out)
    for line in ZERO_SUM.splitlines():
        assert line in out
    assert re.search(r"\n +CNY +0\.00\n +USD +0\.00\n", out)
    assert re.search(
        r"\n  all checks passed: \d+ commands, \d+ events, 0 dead letters, \d+ rows", out
    )
    assert re.search(r"\d+ commands, 32 of them given above", out)
    assert "Everything is stopped again" in out
    assert homes_in(tmp_path) == []


def assert_the_other_stories_are_told(out: str) -> None:
    unwrapped = " ".join(out.split())
    for said in (
        "✓ RefundIssued 300.00 CNY for mail by MARKETPLACE_REVIEW: cash 200.00, gift 100.00",
        "✗ CommandRefused ACCESS_REVOKED",
        "✓ 2026-02-08 16:00:00 MarketplaceRefundApproved survey: approved, as nobody answered",
        "✓ ReservationRefundQuoted 10 of batch: 46720.00 USD by RESERVATION_REFUND",
        "acct-foundry 1 46720.00 2027-05-04 09:05:00 46720.00",
        "✗ CommandRefused REFUND_CAP_EXCEEDED",
        "refund usd 3960.00, consumed usd 46720.00, limit usd 50000.00, left usd 3280.00",
        "next release at 2027-05-04T09:05:00Z, next release usd 46720.00",
        "✓ ReservationExchanged 6 of web for web-2: 3960.00 USD come back, 19800.00 USD are "
        "charged, 15840.00 USD payable",
    ):
        assert said in unwrapped


def test_ctrl_c_in_the_middle_leaves_nothing_running(tmp_path: Path) -> None:
    process = demo(tmp_path)
    assert process.stdout is not None
    for line in process.stdout:
        if "AccountOpened" in line:
            break
    (spare,) = homes_in(tmp_path)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=200)

    assert (process.returncode, err) == (130, "")
    assert homes_in(tmp_path) == []
    assert list(marked(spare / "home")) == []
