"""The networks that webhooks may have although their addresses are not public, by the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.terminal.errors import BadInput

if TYPE_CHECKING:
    from console.running.settings import Settings
    from consumers.webhooks.targets import Network


def webhook_networks(settings: Settings) -> tuple[Network, ...]:
    """The networks of REFUNDS_WEBHOOK_NETWORKS. BadInput."""
    from consumers.webhooks.targets import networks_of

    try:
        return networks_of(settings.webhook_networks)
    except ValueError as error:
        raise BadInput(
            f"REFUNDS_WEBHOOK_NETWORKS: {error}; write networks as 10.1.0.0/16,fd12::/32"
        ) from error
