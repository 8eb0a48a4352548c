"""`refundctl erase`: has the sealed texts of an account erased, by destroying their keys."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from console.terminal.errors import BadInput, Failed

if TYPE_CHECKING:
    from console.submitting.outcomes import LineOutcome

_PATIENCE_SECONDS = 30.0
_POLL_SECONDS = 0.05


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
    from console.running.ledger_locator import connected, find_ledger
    from console.running.settings import read_settings
    from console.sealing.account_keys import AccountKeys
    from console.sealing.clear_texts import clear_texts_recorded
    from console.sealing.master_key import SETTING, master_key

    settings = read_settings()
    master = master_key(settings)
    if master is None:
        raise BadInput(f"set {SETTING}: the account's next texts need a new key")
    with connected(find_ledger(settings).database_url) as connection:
        clear = clear_texts_recorded(connection, account)
        numbers = AccountKeys(connection, master).live(account)
        if not numbers:
            typer.echo(f"no text of {account} is sealed; nothing is erased")
        else:
            _order(numbers, account, actor)
            _wait_until_destroyed(connection, account, numbers[-1])
            typer.echo(f"the sealed texts of {account} are erased (keys 1 to {numbers[-1]})")
        if clear:
            typer.echo(f"{clear} texts of {account} were never sealed and stay readable")


def _order(numbers: tuple[int, ...], account: str, actor: str) -> None:
    """Give the command for each key that is there, in order.

    There are two after a run that ended between the next key and the command; then the first may
    also be ordered already, and only not destroyed yet.
    """
    from console.commands.quote.session import session
    from console.submitting.outcomes import Kind, outcome_told

    with session(account=account, actor=actor, role="SUPPORT") as giving:
        for number in numbers:
            done = giving.give("EraseSubject", {"key_number": number})
            if done.kind is not Kind.ACCEPTED and not _ordered_before(done, number):
                raise Failed(outcome_told(done))


def _ordered_before(done: LineOutcome, number: int) -> bool:
    """Whether the refusal says that a later key is the next."""
    figures = [
        violation.figures
        for event in done.events
        for violation in getattr(event.body, "violations", ())
    ]
    return any(int(each.get("next", 0)) > number for each in figures)


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
