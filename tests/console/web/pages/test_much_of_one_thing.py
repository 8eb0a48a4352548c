"""A refund's id that many accounts have, and a purchase to which much has happened."""

from __future__ import annotations

import re

import psycopg
import pytest

from console.web.access import people
from console.web.access.own_things import OwnThings
from console.web.pages.accounts.refund import MOST_ACCOUNTS
from projector.asking.histories import BOUGHT, INVOICED
from tests.console.web.browser import BROWSER
from tests.console.web.pages.conftest import Shown, main_of
from tests.consumers.deadlines.test_keeper import nodes

pytestmark = pytest.mark.timeout(300)

EVENTS = 250
_SAME_REFUND = """
INSERT INTO read_models.refunds SELECT other.* FROM read_models.refunds r,
    generate_series(1, %s) n,
    jsonb_populate_record(r, jsonb_build_object('account_id', 'acct-' || lpad(n::text, 3, '0')))
        other
WHERE r.account_id = %s AND r.refund_id = %s
"""
_SAID_OF_INVOICE = """
INSERT INTO read_models.outcomes SELECT more.* FROM read_models.outcomes o,
    generate_series(1, %s) n,
    jsonb_populate_record(o, jsonb_build_object('sequence', o.sequence + 1000 + n,
        'log_sequence', o.log_sequence + 100000 + n, 'event_id', gen_random_uuid(),
        'event_name', 'InvoiceStateRecorded', 'body', o.body || '{"invoice_state": "ISSUED"}')) more
WHERE o.account_id = %s AND o.event_name = 'MarketplacePurchaseRecorded'
    AND o.body ->> 'purchase_id' = %s
"""


def buyer_of(shown: Shown, *accounts: str) -> dict[str, str]:
    own = OwnThings(accounts=accounts)
    with psycopg.connect(shown.database_url, autocommit=True) as connection:
        token = people.new_token(connection, "bea", ["buyer"], 1, own)
    return BROWSER | {"Authorization": f"Bearer {token}"}


def test_a_buyer_finds_the_own_refund_after_many_of_other_accounts(shown: Shown) -> None:
    account, refund = shown.rows(
        "SELECT account_id, refund_id FROM finance.refunds WHERE account_id = 'acct-ordinary'"
    )[0]
    shown.rows(_SAME_REFUND, MOST_ACCOUNTS + 5, account, refund)
    found = shown.locked.get(f"/refunds/{refund}", headers=buyer_of(shown, account))
    assert found.status_code == 200
    assert f'href="/accounts/{account}"' in main_of(found.text)
    several = shown.locked.get(f"/refunds/{refund}", headers=buyer_of(shown, "acct-00*"))
    named = re.findall(rf'href="/refunds/{refund}\?account=([^"]+)"', several.text)
    assert named == [f"acct-00{n}" for n in range(1, 10)]
    every = main_of(shown.page(f"/refunds/{refund}"))
    assert every.count(f'href="/refunds/{refund}?account=') == MOST_ACCOUNTS
    assert f'href="/lists/refunds?refund_id={refund}"' in every


def test_a_purchase_to_which_much_has_happened_has_its_page(shown: Shown) -> None:
    account, purchase = shown.rows(
        "SELECT account_id, purchase_id FROM finance.marketplace_requests LIMIT 1"
    )[0]
    shown.rows(_SAID_OF_INVOICE, EVENTS, account, purchase)
    page = main_of(shown.page(f"/marketplace/{purchase}?account={account}"))
    assert "<dt>Invoice</dt><dd>ISSUED</dd>" in page
    assert "<dt>Vendor</dt>" in page


def test_a_purchase_is_found_without_all_else_of_its_account(shown: Shown) -> None:
    shown.rows("ANALYZE read_models.outcomes")
    for statement in (BOUGHT, INVOICED):
        ((plan,),) = shown.rows(f"EXPLAIN (FORMAT JSON) {statement}", "acct-1", "p-1")
        scans = [each for each in nodes(plan[0]["Plan"]) if "Scan" in each["Node Type"]]
        assert {each.get("Index Name") for each in scans} == {"outcomes_of_purchases"}
