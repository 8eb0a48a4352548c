"""`refundctl serve`: the HTTP API and the pages."""

from __future__ import annotations

from typing import Annotated

import typer

from console.terminal.errors import BadInput


def serve(
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="0 chooses one.")] = 8080,
    everything_open: Annotated[
        bool, typer.Option("--open", help="Nobody has to sign in; only on a loopback address.")
    ] = False,
) -> None:
    """Serve the HTTP API until it is stopped.

    Examples:

      refundctl serve

      refundctl serve --open

      refundctl people add anna --role support && refundctl serve --port 9000

      curl 'http://127.0.0.1:8080/v1/balances?account=acct-1'
    """
    import uvicorn

    from console.running.ledger_locator import find_ledger
    from console.running.settings import read_settings
    from console.terminal.log_output import log_to_stderr
    from console.web.access.own_site import LOOPBACK_HOSTS
    from console.web.application import application
    from console.web.backend import Backend

    if everything_open and not _loopback(host):
        raise BadInput(f"--open with --host {host}: others could reach it; leave one out")
    settings = read_settings()
    log_to_stderr(settings.log_level, json=settings.log_json)
    backend, hosts = Backend(find_ledger(settings)), LOOPBACK_HOSTS | {host}
    app = application(backend, everything_open=everything_open, hosts=hosts)
    uvicorn.run(app, host=host, port=port, log_config=None, server_header=False)


def _loopback(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
