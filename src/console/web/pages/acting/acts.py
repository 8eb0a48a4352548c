"""The acts: which of them are quoted first, and how often a person confirms."""

from __future__ import annotations

from console.web.pages.acting.act_page import ActPage
from ledger.vocabulary.commands import (
    COMMANDS,
    DestroyPostpaidInstance,
    DowngradeInstance,
    ExchangeReservations,
    QuoteInstanceDowngrade,
    QuoteInstanceReturn,
    QuoteReservationExchange,
    QuoteReservationRefund,
    RefundReservation,
    RequestMarketplaceRefund,
    RestoreInstance,
    ReturnInstance,
    SwapReservation,
    TakeInstanceOffline,
    TransferReservation,
    WithdrawMarketplaceRefund,
)

_GUIDED = (
    ActPage(act=ReturnInstance, quote=QuoteInstanceReturn, twice=True),
    ActPage(act=DowngradeInstance, quote=QuoteInstanceDowngrade, twice=True),
    ActPage(act=RefundReservation, quote=QuoteReservationRefund, twice=True),
    ActPage(act=ExchangeReservations, quote=QuoteReservationExchange),
    ActPage(act=DestroyPostpaidInstance),
    ActPage(act=RestoreInstance),
    ActPage(act=TakeInstanceOffline),
    ActPage(act=SwapReservation),
    ActPage(act=TransferReservation),
    ActPage(act=RequestMarketplaceRefund),
    ActPage(act=WithdrawMarketplaceRefund),
)
ACTS: dict[str, ActPage] = {
    **{name: ActPage(act=kind, guided=False) for name, kind in COMMANDS.items()},
    **{page.name: page for page in _GUIDED},
}
"""Every command by its name; those that are not guided have their fields alone."""
