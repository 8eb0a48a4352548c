"""Makes up a billing system that refunded by itself, and exports it: commands and totals.

    python examples/adopting/old_system.py --accounts 1000 --as-of 2026-06-01T00:00:00Z

writes `adopted/commands.jsonl` for `refundctl submit`, and `adopted/totals.csv`, added up from the
made-up records themselves. The same seed and instant give the same bytes. Only Python is needed.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Json = dict[str, Any]
DAY = timedelta(days=1)
BILLING = {"id": "old-system", "role": "BILLING"}
KINDS = (("ONLINE", "CNY", 60), ("EA", "EUR", 10), ("CSP", "USD", 15), ("PAYG_CARD", "USD", 15))
"""Account type, its currency here, and how many of a hundred there are."""


class OldSystem:
    """Makes one account after the other; `totals` is what it would report of all so far."""

    def __init__(self, seed: int, as_of: datetime) -> None:
        self._chance = random.Random(seed)
        self._as_of = as_of
        self.totals: Counter[tuple[str, str]] = Counter()

    def account(self, number: int) -> Iterator[Json]:
        """The commands of an account: it is opened, brings its position along, and holds things."""
        kinds = [(kind, currency) for kind, currency, _ in KINDS]
        (picked,) = self._chance.choices(kinds, [share for _, _, share in KINDS])
        kind, currency = picked
        name, given = f"adopted-{number:07}", 0

        def give(command: str, body: Json) -> Json:
            nonlocal given
            given += 1
            return {
                "command": command,
                "id": f"{name}-{given}",
                "account": name,
                "actor": BILLING,
                "body": body,
            }

        self.totals["accounts", kind] += 1
        opened = {"account_type": kind, "us_government": False, "currency": currency}
        yield give("OpenAccount", opened)
        yield give("RecordOpeningPosition", self._position(kind, currency))
        for command, body in self._held(kind, currency):
            yield give(command, body)

    def _position(self, kind: str, currency: str) -> Json:
        online, by_invoice = kind == "ONLINE", kind == "CSP"
        full, ordinary, market = (self._below(most) * online for most in (2, 40, 5))
        cash, gift = (self._cents(50_000) * online * self._below(2) for _ in "cg")
        credits = [self._cents(80_000) for _ in range(self._below(3) * by_invoice)]
        uses = [self._use() for _ in range(self._below(4) * (not online))]
        self._count("balance cash", currency, cash)
        self._count("balance gift", currency, gift)
        self._count("held credits", currency, sum(credits))
        self._count("full refunds used", "", full)
        self._count("ordinary returns used", "", ordinary)
        self._count("marketplace refunds issued", "", market)
        for use in uses:
            self._count("cap refund", "USD", use["refund_usd"])
            self._count("cap commitment", "USD", use["cancelled_commitment_usd"])
        return {
            "as_of": _instant(self._as_of),
            "full_refunds_used": full,
            "ordinary_returns_used": ordinary,
            "marketplace_refunds_issued": market,
            "cap_uses": [
                {
                    **use,
                    "reference": f"old-{number}",
                    "refund_usd": _money(use["refund_usd"]),
                    "cancelled_commitment_usd": _money(use["cancelled_commitment_usd"]),
                }
                for number, use in enumerate(uses, 1)
            ],
            "balance": {"cash": _money(cash), "gift": _money(gift)},
            "held_credits": [
                {"credit_id": f"credit-{number}", "amount": _money(amount)}
                for number, amount in enumerate(credits, 1)
            ],
        }

    def _use(self) -> Json:
        refund = self._cents(900_000)
        return {
            "refunded_at": _instant(self._as_of - self._below(500) * DAY - timedelta(hours=1)),
            "refund_usd": refund,
            "cancelled_commitment_usd": refund + self._cents(900_000) * self._below(2),
        }

    def _held(self, kind: str, currency: str) -> Iterator[tuple[str, Json]]:
        if kind == "PAYG_CARD":
            yield "ChangeCard", {"card_id": "card-1"}
        if kind != "ONLINE":
            for number in range(1 + self._below(2)):
                yield "RecordReservationPurchase", self._reservation(kind, currency, number)
            return
        for number in range(1 + self._below(2)):
            yield "RecordInstanceOrder", self._order(number)
        for number in range(self._below(2)):
            yield "RecordMarketplacePurchase", self._purchase(currency, number)

    def _order(self, number: int) -> Json:
        starts_at = self._as_of - (1 + self._below(200)) * DAY
        self._count("instances running", "", 1)
        component = {
            "name": "node",
            "list_monthly": "51.00",
            "payg": [{"from_hours": 0, "hourly": "0.42"}],
        }
        line = {
            "instance_id": f"i-{number}",
            "product": "redis",
            "region": "ap-guangzhou",
            "paid": {"cash": _money(self._cents(50_000)), "gift": "0.00", "voucher": "100.00"},
            "components": [component],
            "duration_discounts": [{"from_months": 12, "factor": "0.83"}],
        }
        return {
            "order_id": f"o-{number}",
            "kind": "NEW",
            "channel": "STANDARD",
            "starts_at": _instant(starts_at),
            "ends_at": _instant(starts_at + 730 * DAY),
            "lines": [line],
        }

    def _purchase(self, currency: str, number: int) -> Json:
        cash, gift = self._cents(30_000), self._cents(30_000)
        back = {"cash": self._below(cash), "gift": self._below(gift)}
        if self._below(2):
            back = {"cash": 0, "gift": 0}
        self._count("marketplace paid", currency, cash + gift)
        self._count("marketplace refunded", currency, back["cash"] + back["gift"])
        return {
            "purchase_id": f"p-{number}",
            "product_kind": "SAAS",
            "vendor_id": "vendor-1",
            "buyer_id": "buyer-1",
            "paid": {"cash": _money(cash), "gift": _money(gift)},
            "purchased_at": _instant(self._as_of - self._below(90) * DAY),
            "refunded": {fund: _money(amount) for fund, amount in back.items()},
        }

    def _reservation(self, kind: str, currency: str, number: int) -> Json:
        quantity = 1 + self._below(5)
        returned = self._below(quantity)
        total = self._cents(900_000) + 1
        refunded = self._below(total * returned // quantity + 1)
        starts_on = (self._as_of - (1 + self._below(300)) * DAY).date()
        payment = {
            "EA": {"method": "OVERAGE"},
            "CSP": {"method": "INVOICE", "invoice_id": f"inv-{number}"},
            "PAYG_CARD": {"method": "CARD", "card_id": "card-1", "invoice_id": f"inv-{number}"},
        }[kind]
        self._count("reservation units", "", quantity - returned)
        self._count("reservation totals", currency, total)
        return {
            "reservation_id": f"r-{number}",
            "product_type": "VirtualMachines",
            "sku": "Standard_F1",
            "region": "eastus",
            "quantity": quantity,
            "term_months": 36,
            "starts_on": starts_on.isoformat(),
            "total": _money(total),
            "billing_plan": "UPFRONT",
            "payment": payment,
            "owners": ["owner-1"],
            **({"returned_quantity": returned, "refunded": _money(refunded)} if returned else {}),
        }

    def _below(self, most: int) -> int:
        return self._chance.randrange(most)

    def _cents(self, most: int) -> int:
        return 1 + self._chance.randrange(most)

    def _count(self, total: str, of: str, amount: int) -> None:
        self.totals[total, of] += amount


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def _instant(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def _write(old: OldSystem, accounts: int, into: Path, at: str | None) -> None:
    into.mkdir(parents=True, exist_ok=True)
    stamp = {} if at is None else {"at": at}
    with (into / "commands.jsonl").open("w", encoding="utf-8", newline="\n") as commands:
        for number in range(1, accounts + 1):
            for command in old.account(number):
                commands.write(json.dumps({**stamp, **command}) + "\n")
    with (into / "totals.csv").open("w", encoding="utf-8", newline="") as totals:
        writer = csv.writer(totals, lineterminator="\n")
        writer.writerow(("total", "of", "amount"))
        writer.writerows((*named, amount) for named, amount in sorted(old.totals.items()) if amount)


def main() -> None:
    """Read the options and write both files."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--accounts", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--as-of", required=True, help="when the position is taken, in UTC")
    parser.add_argument("--at", help="an instant for every line: for a sandbox")
    parser.add_argument("--into", type=Path, default=Path("adopted"))
    asked = parser.parse_args()
    as_of = datetime.strptime(asked.as_of, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    _write(OldSystem(asked.seed, as_of), asked.accounts, asked.into, asked.at)


if __name__ == "__main__":
    main()
