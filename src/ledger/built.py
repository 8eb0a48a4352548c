"""Which commands of the contract the ledger decides so far; the others are turned away by name."""

from __future__ import annotations

BUILT: frozenset[str] = frozenset(
    {
        "OpenAccount",
        "SetAccountStanding",
        "RecordInstanceOrder",
        "StartPostpaidInstance",
        "QuoteInstanceReturn",
        "ReturnInstance",
        "DestroyPostpaidInstance",
        "RestoreInstance",
        "TakeInstanceOffline",
        "ExpireInstance",
        "DestroyIsolatedInstance",
        "SettleRefund",
    }
)
