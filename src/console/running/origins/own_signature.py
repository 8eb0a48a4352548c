"""Who signs what this program publishes: an origin from the settings, or one of the folder's."""

from __future__ import annotations

from collections.abc import Callable

from console.running.ledger_locator import Ledger, OwnOrigin
from console.running.origins.key_files import key_file, read_key
from console.running.origins.origin_folder import OriginFolder
from console.terminal.errors import BadInput
from consumers.clock import WallClock
from ledger.log.seam import Topic
from ledger.origins.signing import Signer, Signing, sign_of, unsigned
from ledger.origins.table import Key, Mode
from ledger.origins.verifying import KeptOrigins, Verifier
from ledger.vocabulary.events import LedgerOpened

OPERATOR = "operator"
"""A person with `refundctl`."""
CONSOLE = "console"
"""`refundctl serve`: the HTTP API and the pages."""


def signing_of(
    ledger: Ledger, origin: str = OPERATOR, ledger_id: Callable[[], str] | None = None
) -> Signing:
    """Signs as the environment says; else with the newest valid key of that origin in the ledger's
    folder, asked again every time, so that a new key needs no restart. Unsigned where it has none.
    """
    known = ledger_id or (lambda: ledger_id_of(ledger))
    if ledger.own_origin is not None:
        made = _told(ledger.own_origin, known())
        return lambda: made
    if ledger.origins is None:
        return unsigned
    return _by_folder(OriginFolder(ledger.origins), origin, known)


def ledger_id_of(ledger: Ledger) -> str:
    """The id of the ledger's commands topic, which is in every signature."""
    from ledger.log.kafka import verify_world

    return str(verify_world(ledger.kafka)[Topic.COMMANDS])


def must_sign(ledger: Ledger, origin: str) -> Signing:
    """As `signing_where_required`, and asked at once: a process does not begin without a key."""
    signing = signing_where_required(ledger, origin)
    signing()
    return signing


def signing_where_required(ledger: Ledger, origin: str = OPERATOR) -> Signing:
    """As `signing_of`; BadInput, whenever commands must be signed and no key for it is here.
    What is sent once, as follow-ups are, would be lost unsigned.
    """
    found, folder = signing_of(ledger, origin), ledger.origins and OriginFolder(ledger.origins)

    def signer() -> Signer | None:
        made = found()
        if made is None and folder and folder.history().newest.mode is not Mode.OPEN:
            raise BadInput(
                f"REFUNDS_ORIGINS {folder.path}: no valid key of origin {origin!r} is here; "
                f"put it into keys/{origin}, or run 'refundctl origins rotate {origin}'; 'add' it, "
                "if the table does not have it"
            )
        return made

    return signer


def verifying(ledger: Ledger, opened: LedgerOpened) -> Callable[[], Verifier | None]:
    """Verifies by the newest table of the ledger's folder."""
    if ledger.origins is None:
        return lambda: None
    folder, ledger_id = OriginFolder(ledger.origins), opened.topic_ids[Topic.COMMANDS.value]
    return lambda: folder.verifier(ledger_id)


def kept_origins(ledger: Ledger) -> KeptOrigins:
    """What an audit verifies by: the table's history, and the secrets that are here."""
    if ledger.origins is None:
        return KeptOrigins()
    folder = OriginFolder(ledger.origins)
    history = folder.history()
    return KeptOrigins(history=history, secrets=folder.secrets(history))


def _told(own: OwnOrigin, ledger_id: str) -> Signer:
    origin, _, key_id = own.name.partition("/")
    if not origin or not key_id:
        raise BadInput(f"REFUNDS_ORIGIN {own.name!r}: not <origin>/<key id>, such as billing/k1")
    algorithm, secret = read_key("REFUNDS_ORIGIN_KEY_FILE", own.key_file)
    sign = sign_of(algorithm, secret)
    return Signer(origin=origin, key_id=key_id, ledger_id=ledger_id, sign=sign)


def _by_folder(folder: OriginFolder, origin: str, ledger_id: Callable[[], str]) -> Signing:
    made: dict[str, Signer] = {}
    clock = WallClock()

    def newest() -> Signer | None:
        found = folder.history().newest.origins.get(origin)
        now = clock.now()
        keys = [] if found is None else [each for each in found.keys.values() if each.valid_at(now)]
        for key in sorted(keys, key=_newest_first):
            path = key_file(folder.path, origin, key.key_id)
            if key.key_id not in made and path.exists():
                algorithm, secret = read_key("REFUNDS_ORIGINS", path)
                made[key.key_id] = Signer(
                    origin=origin,
                    key_id=key.key_id,
                    ledger_id=ledger_id(),
                    sign=sign_of(algorithm, secret),
                )
            if key.key_id in made:
                return made[key.key_id]
        return None

    return newest


def _newest_first(key: Key) -> int:
    return -key.valid_from
