"""`refundctl quote`: an interactive session: shows a quote with its working, asks, then acts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from console.terminal.errors import BadInput
from console.terminal.help import HeadedCommands

app = typer.Typer(
    cls=HeadedCommands,
    no_args_is_help=True,
    help="Quote a return, downgrade, refund or exchange, then act.",
    rich_markup_mode=None,
)

Account = Annotated[str, typer.Option("--account", "-a", help="The account.")]
Actor = Annotated[str, typer.Option("--actor", help="Who acts: the id of an owner.")]
Role = Annotated[str, typer.Option("--role", help="OWNER, or SUPPORT acting for an owner.")]
Yes = Annotated[
    bool, typer.Option("--yes", "-y", help="Act without asking: the consequences are accepted.")
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object; acts only with --yes.")
]


@app.command(name="instance-return")
def instance_return(
    instance_id: Annotated[str, typer.Argument(metavar="INSTANCE_ID")],
    account: Account,
    actor: Actor,
    role: Role = "OWNER",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Return a prepaid instance.

    It shows the refund and how it is calculated, asks, and then returns the instance for exactly
    the quoted amount. If you answer no, nothing happens, and the quote expires.

    Example:

      refundctl quote instance-return i-1 --account acct-1 --actor u-1
    """
    body = {"instance_id": instance_id}
    _deal(account, actor, role, ("QuoteInstanceReturn", "ReturnInstance"), body, yes, as_json)


@app.command(name="instance-downgrade")
def instance_downgrade(
    instance_id: Annotated[str, typer.Argument(metavar="INSTANCE_ID")],
    configuration: Annotated[
        Path,
        typer.Option(
            "--configuration",
            help="A file with one JSON object: components and duration_discounts.",
        ),
    ],
    account: Account,
    actor: Actor,
    role: Role = "OWNER",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Make a prepaid instance smaller; it runs on.

    Example:

      refundctl quote instance-downgrade i-1 --configuration smaller.json
      --account acct-1 --actor u-1
    """
    body = {**_object_in(configuration, "the new configuration"), "instance_id": instance_id}
    _deal(account, actor, role, ("QuoteInstanceDowngrade", "DowngradeInstance"), body, yes, as_json)


@app.command(name="reservation-refund")
def reservation_refund(
    reservation_id: Annotated[str, typer.Argument(metavar="RESERVATION_ID")],
    account: Account,
    actor: Actor,
    quantity: Annotated[
        int | None,
        typer.Option("--quantity", help="The quantity (default: everything that is held)."),
    ] = None,
    usd_rate: Annotated[
        str, typer.Option("--usd-rate", help="US dollars for one unit of the account's currency.")
    ] = "1",
    role: Role = "OWNER",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Refund a reservation, or a part of it.

    Example:

      refundctl quote reservation-refund r-1 --quantity 2 --account acct-2 --actor u-1
    """
    body: dict[str, Any] = {"reservation_id": reservation_id, "usd_rate": usd_rate}
    if quantity is not None:
        body["quantity"] = quantity
    _deal(account, actor, role, ("QuoteReservationRefund", "RefundReservation"), body, yes, as_json)


@app.command(name="reservation-exchange")
def reservation_exchange(
    returns: Annotated[
        list[str], typer.Option("--return", help="A reservation to return: ID, or ID=QUANTITY.")
    ],
    purchases: Annotated[
        list[Path],
        typer.Option("--purchase", help="A file with one JSON object: the reservation to buy."),
    ],
    account: Account,
    actor: Actor,
    role: Role = "OWNER",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Exchange reservations for new ones.

    Example:

      refundctl quote reservation-exchange --return r-1 --return r-2=1 --purchase new.json
      --account acct-2 --actor u-1
    """
    body = {
        "returns": [_leg(each) for each in returns],
        "purchases": [_json_in(file, "a new reservation") for file in purchases],
    }
    names = ("QuoteReservationExchange", "ExchangeReservations")
    _deal(account, actor, role, names, body, yes, as_json)


def _deal(
    account: str,
    actor: str,
    role: str,
    names: tuple[str, str],
    body: dict[str, Any],
    yes: bool,
    as_json: bool,
) -> None:
    """Quote, show, ask, act.

    1. Publish the quote command and show its answer with the working. 2. Stop if acting would
    violate a rule. 3. Ask the person. 4. Publish the act with the quote, the amount and the
    agreement, and show its outcome. A crash between 1 and 4 leaves only a quote, which expires.
    """
    from console.commands.quote.session import session

    with session(account=account, actor=actor, role=role) as at:
        # 1
        quoted = at.give(names[0], body)
        if not as_json:
            typer.echo(at.quote_told(quoted))
        # 2
        offer = at.offer(quoted)
        done = None
        # 3
        if offer is not None and (yes or (not as_json and _agrees(offer))):
            # 4
            done = at.give(names[1], {**body, **at.acceptance(offer)})
        if as_json:
            typer.echo(at.both_to_json(quoted, done))
        elif done is not None:
            typer.echo(at.act_told(done))
        if not at.well(quoted if done is None else done):
            raise typer.Exit(1)


def _agrees(offer: dict[str, Any]) -> bool:
    amount = f"{offer['amount']} {offer['currency']}"
    try:
        agreed = typer.confirm(f"Have you read this, and do you agree? It acts at {amount}")
    except typer.Abort:
        agreed = False
    if not agreed:
        typer.echo(f"nothing was done; the quote is valid until {offer['expires_at']}")
    return agreed


def _leg(text: str) -> dict[str, Any]:
    reservation_id, sign, quantity = text.rpartition("=")
    if not sign:
        return {"reservation_id": text}
    if not quantity.isdecimal():
        raise BadInput(f"--return {text}: {quantity!r} is not a quantity; write ID or ID=QUANTITY")
    return {"reservation_id": reservation_id, "quantity": int(quantity)}


def _object_in(file: Path, what: str) -> dict[str, Any]:
    found = _json_in(file, what)
    if not isinstance(found, dict):
        raise BadInput(f"{file}: {found!r} is no object; write one JSON object, {what}")
    return found


def _json_in(file: Path, what: str) -> Any:
    from console.submitting.command_files import read_bytes

    try:
        return json.loads(read_bytes(file))
    except ValueError as error:
        raise BadInput(f"{file}: {error}; write one JSON object: {what}") from error
