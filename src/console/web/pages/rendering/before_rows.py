"""Before a page reads its rows: waits for the command it is to show, remembers where they stand."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import Query, Request

from console.web.api.queries import Asked
from console.web.backend import Backend
from console.web.pages.rendering.standing import standing
from projector.asking.outcomes import outcomes

_PATIENCE_SECONDS, _POLL_SECONDS = 3.0, 0.05


def stand(
    request: Request,
    backend: Asked,
    after: Annotated[str, Query()] = "",
    account: Annotated[str, Query()] = "",
) -> None:
    """Before a page reads its rows: remember where they stand.

    `after` is the id of the account's command that the page is to show: it is waited for, and if it
    is not there in time the page says so.
    """
    account_id = request.path_params.get("account_id", account)
    missing = bool(after and account_id) and not _shown(backend, account_id, after)
    request.state.waits_for = after if missing else None
    with backend.connection() as connection:
        request.state.standing = standing(connection)


def _shown(backend: Backend, account_id: str, command_id: str) -> bool:
    """Wait until the read models have the outcome of a command, for some seconds at most."""
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while True:
        with backend.connection() as connection:
            if outcomes(connection, {(account_id, command_id)}):
                return True
        if time.monotonic() > give_up:
            return False
        time.sleep(_POLL_SECONDS)
