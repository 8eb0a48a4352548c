"""`refundctl serve`: the HTTP API and the pages."""

from __future__ import annotations

from typing import Annotated

import typer


def serve(
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="0 chooses one.")] = 8080,
) -> None:
    """Serve the HTTP API until it is stopped.

    Examples:

      refundctl serve

      refundctl serve --port 9000

      curl 'http://127.0.0.1:8080/v1/balances?account=acct-1'
    """
    import uvicorn

    from console.running.ledger_locator import find_ledger
    from console.running.settings import read_settings
    from console.terminal.log_output import log_to_stderr
    from console.web.application import application
    from console.web.backend import Backend

    settings = read_settings()
    log_to_stderr(settings.log_level, json=settings.log_json)
    app = application(Backend(find_ledger(settings)))
    uvicorn.run(app, host=host, port=port, log_config=None, server_header=False)
