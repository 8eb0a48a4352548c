"""Whatever a well-formed command says, in whatever state: it is decided, and can be written."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from ledger.state.entities import Refund
from ledger.values.instants import DAY, SECOND, parse_day, parse_instant
from ledger.values.money import MAX_MICROS, MAX_MINOR
from ledger.values.refusal import Code
from ledger.vocabulary.commands import (
    COMMANDS,
    Command,
    CompleteOverdueMarketplaceRefund,
    ExchangeReservations,
    OpenAccount,
    RefundReservation,
    SettlementCommand,
)
from ledger.vocabulary.events import AccountOpened, CommitmentTermOpened
from ledger.vocabulary.fields import (
    Choice,
    Field,
    Flag,
    Items,
    Kind,
    Number,
    Record,
    Text,
    fields_of,
)
from ledger.vocabulary.shapes import AccountType, BillingPlan, ProductKind, Role
from ledger.vocabulary.validation import LAST_BEGINNING, body_problems
from ledger.wire.avro.codec import encode_event
from tests.bodies import line, order
from tests.ledger.rules.marketplace.stories import purchase
from tests.ledger.rules.reservations.stories import bought
from tests.scenario import START, Scenario, role_for

NOW, TODAY = parse_instant(START), parse_day(START[:10])
IDS = {
    "reservation_id": ["r-1", "r-2", "r-2", "name"],
    "purchase_id": ["p-1", "p-2"],
    "vendor_id": ["v-1"],
    "buyer_id": ["u-1"],
    "owners": ["u-1", "u-2"],
    "term_id": ["t-1"],
    "product_type": ["VirtualMachines", "compute", "SuseLinux"],
    "sku": ["Standard_F1", "Standard_F1s"],
    "instance_id": ["i-1"],
}
INSTANTS = st.sampled_from([0, NOW - DAY, NOW, NOW + 1, NOW + 40 * DAY, LAST_BEGINNING])
DAYS = st.sampled_from([0, TODAY - 300, TODAY, TODAY + 1, LAST_BEGINNING // DAY])
AMOUNTS = st.sampled_from([0, 1, 99, 36_500, MAX_MINOR])
RATES = st.sampled_from(["1", "1.0", "0.000000000001", "0.88", "100"])
KINDS = list(COMMANDS.values())
LIVELY = [
    kind
    for kind in KINDS
    if any(word in kind.__name__ for word in ("Marketplace", "Reservation", "Invoice", "Service"))
    or kind in SettlementCommand.__args__
]


def values(shape: type[Struct]) -> st.SearchStrategy[Any]:
    """Any value of the class, of few ids and of ordinary and extreme numbers."""
    return st.builds(shape, **{field.name: _field(field) for field in fields_of(shape)})


def _field(field: Field) -> st.SearchStrategy[Any]:
    if field.name == "term_months":
        return st.sampled_from([12, 36])
    if field.name == "from_hours":
        return st.just(0)
    kind = _kind(field.kind, IDS.get(field.name, ["o-1", "rule"]))
    return kind | st.none() if field.optional else kind


def _kind(kind: Kind, ids: list[str]) -> st.SearchStrategy[Any]:
    match kind:
        case Text(unit="currency"):
            return st.sampled_from(["USD", "JPY", "KWD"])
        case Text(unit="decimal12"):
            return RATES
        case Text():
            return st.sampled_from(ids)
        case Number(unit="instant"):
            return INSTANTS
        case Number(unit="day"):
            return DAYS
        case Number(unit="minor"):
            return AMOUNTS
        case Number(unit="micros"):
            return st.sampled_from([0, 1, MAX_MICROS])
        case Number():
            return st.sampled_from([1, 2, 10**9])
        case Flag():
            return st.booleans()
        case Choice(members=members):
            return st.sampled_from(members)
        case Record(shape=shape):
            return values(shape)
        case Items(of=item):
            return st.lists(_kind(item, ids), min_size=1, max_size=2).map(tuple)
        case _:
            raise AssertionError(f"no command has a field of {kind}")


COMMAND: st.SearchStrategy[Command] = st.sampled_from(KINDS + 4 * LIVELY).flatmap(values)
GIVEN = st.tuples(
    COMMAND,
    st.none() | st.sampled_from([Role.SUPPORT, *Role]),
    st.sampled_from([0, 1, 1, SECOND, SECOND, DAY, 4 * DAY, 400 * DAY]),
)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    account_type=st.sampled_from(AccountType),
    currency=st.sampled_from(["USD", "JPY", "KWD"]),
    us_government=st.booleans(),
    given_commands=st.lists(GIVEN, min_size=8, max_size=24),
)
def test_every_command_is_decided_and_every_outcome_written(
    account_type: AccountType,
    currency: str,
    us_government: bool,
    given_commands: list[tuple[Command, Role | None, int]],
) -> None:
    s = Scenario()
    _begin(s, account_type, currency, us_government=us_government)
    for command, role, micros in given_commands:
        if body_problems(command):
            continue
        speaks = role_for(command) if role is None else role
        actor_id = "v-1" if speaks is Role.VENDOR else "u-1"
        assert s.later(micros).give(_on_what_is_there(s, command), role=speaks, actor_id=actor_id)
    for event in s.recorded:
        encode_event(event)
    assert s.folded().entities() == s.state.entities()


def _begin(s: Scenario, account_type: AccountType, currency: str, *, us_government: bool) -> None:
    """An account that holds everything, as none may, so that every command meets something."""
    s.opened(AccountType.CSP, currency)
    s.give(bought(MAX_MINOR, "r-1", quantity=3, currency=currency))
    s.give(bought(36_500, "r-2", plan=BillingPlan.MONTHLY, months=36, currency=currency))
    s.given(AccountOpened(account_type=AccountType.ONLINE, us_government=False, currency=currency))
    s.give(purchase("p-1", ProductKind.SAAS, currency=currency))
    s.give(purchase("p-2", ProductKind.HUMAN_SERVICE, currency=currency))
    s.give(order("o-1", line("i-1"), starts_at=START, currency=currency))
    opened = AccountOpened(
        account_type=account_type, us_government=us_government, currency=currency
    )
    term = CommitmentTermOpened(
        term_id="t-1", starts_on=TODAY, ends_on=TODAY + 365, amount=1, currency=currency
    )
    s.given(opened, term)


def _on_what_is_there(s: Scenario, command: Command) -> Command:
    """The same, naming the last quote and application there is, where it names one at all."""
    match command:
        case CompleteOverdueMarketplaceRefund():
            found = _last(s, "request_id")
            return command if found is None else replace(command, request_id=found.request_id)
        case RefundReservation(quote_id=str()) | ExchangeReservations(quote_id=str()):
            found = _last(s, "quote_id")
            if found is None:
                return command
            return replace(command, quote_id=found.quote_id, confirmed_amount=found.amount)
        case _ if isinstance(command, SettlementCommand):
            refund_ids = _refund_ids(s)
            some = len(s.recorded) % (len(refund_ids) or 1)
            return replace(command, refund_id=refund_ids[some]) if refund_ids else command
        case _:
            return command


def _refund_ids(s: Scenario) -> list[str]:
    return [key.entity_id for key in s.state.entities() if key.kind is Refund]


def _last(s: Scenario, field: str) -> Any:
    bodies = (event.body for event in reversed(s.recorded))
    return next((body for body in bodies if getattr(body, field, None) is not None), None)


@settings(derandomize=True, deadline=None)
@given(given_command=GIVEN)
def test_nothing_is_found_before_the_account_is_open(
    given_command: tuple[Command, Role | None, int],
) -> None:
    command, role, _ = given_command
    s = Scenario().when(command, role=role)
    if not isinstance(command, OpenAccount):
        refusal = s.refused(Code.NOT_FOUND)
        assert refusal.violations[0].figures == {"account": "acct-1"}
