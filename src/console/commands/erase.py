"""`refundctl erase`: has the sealed texts of an account erased, by destroying their keys."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.terminal.errors import BadInput, Failed

if TYPE_CHECKING:
    from console.running.settings import Settings

_PATIENCE_SECONDS = 30.0
_POLL_SECONDS = 0.05
_CLEAR = """
SELECT count(*) FROM finance.events, jsonb_each_text(body) AS field
WHERE account_id = %s AND field.value NOT LIKE 'sealed:1:%%' AND (
    field.key IN ('note', 'gateway_reason', 'ticket')
    OR field.key = 'reason' AND event_name = 'RefundCorrected')
"""


def erase(
    account: Annotated[str, typer.Option("--account", "-a", help="The account.")],
    actor: Annotated[str, typer.Option("--actor", help="Who orders it.")] = "operator",
) -> None:
    """Erase the sealed texts of an account: notes, reasons and tickets.

    The account's keys are destroyed. Amounts, ids and events stay as they are, and the log is
    audited as before. Texts that were never sealed cannot be erased; they are counted. Texts that
    the account gets from now on are sealed under a new key. Nothing brings an erased text back.

    Example:

      refundctl erase --account acct-1 --actor anna
    """
    from console.commands.quote.session import session
    from console.running.ledger_locator import connected, find_ledger
    from console.running.settings import read_settings
    from console.submitting.outcomes import Kind, outcome_told

    settings = read_settings()
    with connected(find_ledger(settings).database_url) as connection:
        number = _begin_next(connection, settings, account)
        clear = connection.execute(_CLEAR, (account,)).fetchone()
        assert clear is not None
        if number == 0:
            typer.echo(f"no text of {account} is sealed; nothing is erased")
        else:
            with session(account=account, actor=actor, role="SUPPORT") as giving:
                done = giving.give("EraseSubject", {"key_number": number})
            if done.kind is not Kind.ACCEPTED:
                raise Failed(outcome_told(done))
            _wait_until_destroyed(connection, account, number)
            typer.echo(f"the sealed texts of {account} are erased (keys 1 to {number})")
        if clear[0]:
            typer.echo(f"{clear[0]} texts of {account} were never sealed and stay readable")


def _begin_next(connection: Any, settings: Settings, account: str) -> int:
    """The newest key's number, 0 without one. From here on texts are sealed under the next one, so
    that none is sealed under a key that is about to be destroyed.
    """
    from console.sealing.account_keys import AccountKeys
    from console.sealing.master_key import SETTING, master_key

    master = master_key(settings)
    if master is None:
        raise BadInput(f"set {SETTING}: the account's next texts need a new key")
    return AccountKeys(connection, master).begin_next(account)


def _wait_until_destroyed(connection: Any, account: str, number: int) -> None:
    from console.sealing.account_keys import destroyed

    give_up = time.monotonic() + _PATIENCE_SECONDS
    while not destroyed(connection, account, number):
        if time.monotonic() > give_up:
            raise Failed(
                f"the erasure of {account} is recorded, but its keys are not destroyed yet; the "
                "reactions do that: see 'refundctl status' and 'refundctl doctor'"
            )
        time.sleep(_POLL_SECONDS)
