"""What signatures cost: signing and verifying alone, and the decider with and without them.

Run it as `python -m benchmarks.signing [--commands N]`. The same commands are decided on a log in
memory: unsigned and not asked, signed with hmac-sha256, and signed with ed25519, by turns, in the
processor time of this process. Every command must be decided, and with signatures every event must
name its origin.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import structlog
from msgspec.structs import replace

from benchmarks import kit
from benchmarks.deciding import PARTITIONS, START, world_of
from benchmarks.mix import commands
from consumers.deciding.decider import GROUP, PartitionDecider
from consumers.deciding.store import Store
from ledger.log.memory import MemoryCluster
from ledger.log.seam import Outgoing, Topic
from ledger.origins.history import (
    Change,
    KeyAdded,
    ModeSet,
    OriginHistory,
    OriginSet,
    next_line,
    read_history,
)
from ledger.origins.signing import Signer, proof_of, sign_of
from ledger.origins.table import OWN, Algorithm, Mode
from ledger.origins.verifying import Proven, Verifier
from ledger.vocabulary.shapes import Role
from ledger.wire.avro.codec import decode_event, read_command

ROUNDS = 5
LEDGER_ID = "2b96594d-e31f-4cff-b7e1-c8a60d253753"
LIMIT = 0.10
"""The most that hmac-sha256 may add to the decider's processor time."""


def main() -> None:
    """Print both tables, and keep them."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", type=int, default=5_000)
    asked = parser.parse_args()
    plain = list(commands(asked.commands, START, PARTITIONS))
    alone = {each.value: _alone(each, plain[: asked.commands // 5]) for each in Algorithm}
    whole = _whole(plain)
    share = whole["hmac-sha256"]["share"]
    assert share <= LIMIT, f"hmac-sha256 adds {share:.1%}, more than {LIMIT:.0%}"
    figures = {"alone": alone, "decider": whole}
    kit.keep("signing", settings={"commands": asked.commands, "rounds": ROUNDS}, figures=figures)


def _alone(algorithm: Algorithm, records: Sequence[Outgoing]) -> dict[str, float]:
    """Microseconds to sign a command, and to verify it."""
    signer, verifier = _signer(algorithm), _verifier(algorithm)
    given = [read_command(each.value) for each in records]
    signed = [_signed(each, signer) for each in records]

    def sign() -> None:
        for one, record in zip(given, records, strict=True):
            signer.headers(one.meta.account_id, one.meta.command_id, record.value or b"")

    def verify() -> None:
        for one, record in zip(given, signed, strict=True):
            answer = verifier.check(one, record.value or b"", record.headers, START)
            assert isinstance(answer, Proven), answer

    timed = kit.interleaved({"sign": sign, "verify": verify}, rounds=ROUNDS)
    found = {name: each.microseconds(len(records)) for name, each in timed.items()}
    print(f"{algorithm.value:<12} sign {found['sign']:7.2f} µs, verify {found['verify']:7.2f} µs")
    return found


def _whole(plain: Sequence[Outgoing]) -> dict[str, dict[str, float]]:
    """The decider's microseconds for a command, and the share that signatures add."""
    ways: dict[str, Callable[[], object]] = {"open": lambda: _decided(plain, None)}
    for algorithm in Algorithm:
        signer = _signer(algorithm)
        signed = [_signed(each, signer) for each in plain]
        verifier = _verifier(algorithm)
        ways[algorithm.value] = lambda s=signed, v=verifier: _decided(s, v)  # type: ignore[misc]
    timed = kit.interleaved(ways, rounds=ROUNDS)
    found = {}
    for name, each in timed.items():
        micros = each.microseconds(len(plain))
        share = round(each.best / timed["open"].best - 1, 3)
        found[name] = {"microseconds": micros, "share": share}
        print(f"{name:<12} {micros:7.1f} µs a command in the decider, {share:+.1%}")
    return found


def _decided(records: Sequence[Outgoing], verifier: Verifier | None) -> None:
    """Decide everything, and check that it was."""
    world = world_of(PARTITIONS, verifier=lambda: verifier)
    cluster = MemoryCluster(PARTITIONS, lambda: START)
    cluster.publish(records)
    log = cluster.consumer(GROUP, Topic.COMMANDS)
    with tempfile.TemporaryDirectory(prefix="refunds-bench-") as folder:
        for number in range(PARTITIONS):
            store = Store(Path(folder), number, world.events_topic_id)
            decider = PartitionDecider(log, number, store, world)
            decider.restore()
            while decider.step(0.0):
                pass
            decider.close()
    assert not any(cluster.end_offsets(Topic.DEAD_LETTERS)), "a command was set aside"
    last = list(cluster.replay(Topic.EVENTS))[-1]
    assert bool(decode_event(last.value).meta.origin) is (verifier is not None)


def _signed(record: Outgoing, signer: Signer) -> Outgoing:
    meta = read_command(record.value).meta
    added = signer.headers(meta.account_id, meta.command_id, record.value or b"")
    return replace(record, headers=(*record.headers, *added))


def _secret(algorithm: Algorithm) -> bytes:
    """Always the same; it protects nothing."""
    return sha256(algorithm.value.encode()).digest()


def _signer(algorithm: Algorithm) -> Signer:
    sign = sign_of(algorithm, _secret(algorithm))
    return Signer(origin="billing", key_id="k1", ledger_id=LEDGER_ID, sign=sign)


def _verifier(algorithm: Algorithm) -> Verifier:
    own = _secret(Algorithm.HMAC_SHA256)
    changes: tuple[Change, ...] = (
        OriginSet(name=OWN, roles=(Role.SYSTEM,)),
        _key(OWN, Algorithm.HMAC_SHA256),
        OriginSet(name="billing", roles=(Role.BILLING, Role.OWNER, Role.SUPPORT)),
        _key("billing", algorithm),
        ModeSet(mode=Mode.REQUIRED),
    )
    secrets = {(OWN, "k1"): own, ("billing", "k1"): own}
    return Verifier(_history(changes), secrets, LEDGER_ID)


def _key(origin: str, algorithm: Algorithm) -> KeyAdded:
    return KeyAdded(
        origin=origin,
        key_id="k1",
        algorithm=algorithm,
        proof=proof_of(algorithm, _secret(algorithm)).hex(),
        valid_from="1970-01-01T00:00:00Z",
    )


def _history(changes: Sequence[Change]) -> OriginHistory:
    text = ""
    for change in changes:
        text += next_line(read_history(text), change, at=0, by="bench")
    return read_history(text)


if __name__ == "__main__":
    main()
