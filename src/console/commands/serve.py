"""`refundctl serve`: the HTTP API and the pages."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Annotated, Any

import typer

from console.terminal.errors import BadInput, Failed

_END_SECONDS = 20


def serve(
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65_535, help="By default 8080; 0 chooses a free one."),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", help="A certificate, and those of its issuers.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", help="Its key, as PEM.")] = None,
    everything_open: Annotated[
        bool, typer.Option("--open", help="Nobody has to sign in; only on a loopback address.")
    ] = False,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Nothing can be done: requests that write get 403.")
    ] = False,
    incognito: Annotated[
        bool,
        typer.Option("--incognito", help="The pages hide amounts; files and the API have them."),
    ] = False,
) -> None:
    """Serve the pages and the HTTP API until it is stopped.

    Examples:

      refundctl serve

      refundctl serve --open

      refundctl serve --read-only --incognito

      refundctl serve --host 0.0.0.0 --tls-cert console.pem --tls-key console.key

      refundctl people add anna --role support && refundctl serve --port 9000

      curl 'http://127.0.0.1:8080/v1/balances?account=acct-1'
    """
    import uvicorn

    from console.running.ledger_locator import find_ledger
    from console.running.settings import read_settings
    from console.terminal.log_output import log_to_stderr
    from console.web.access.oidc import Oidc, provider_of
    from console.web.access.own_site import LOOPBACK_HOSTS
    from console.web.access.proxy import proxy_of
    from console.web.application import application
    from console.web.backend import Backend
    from console.web.pages.rendering.environment import Look

    if everything_open and not _loopback(host):
        raise BadInput(f"--open with --host {host}: others could reach it; leave one out")
    settings = read_settings()
    log_to_stderr(settings.log_level, json=settings.log_json)
    backend, hosts = Backend(find_ledger(settings)), LOOPBACK_HOSTS | {host}
    look = Look(
        read_only=read_only or settings.console_read_only,
        incognito=incognito or settings.console_incognito,
    )
    provider = provider_of(settings)
    app = application(
        backend,
        everything_open=everything_open,
        hosts=hosts,
        look=look,
        oidc=None if provider is None else Oidc(provider),
        proxy=proxy_of(settings),
    )
    config = uvicorn.Config(
        app,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=_END_SECONDS,
        proxy_headers=False,  # only what our own settings name is a proxy
        **_tls(tls_cert, tls_key),
    )
    with listening_at(host, settings.console_port if port is None else port) as listening:
        scheme = "http" if tls_cert is None else "https"
        typer.echo(f"serving {scheme}://{_told(*listening.getsockname()[:2])}", err=True)
        if settings.ready_file is not None:
            settings.ready_file.touch()
        server = uvicorn.Server(config)
        app.state.live.stopping = lambda: server.should_exit
        server.run(sockets=[listening])


def _tls(cert: Path | None, key: Path | None) -> dict[str, Any]:
    from console.running.secret_files import check_private

    if cert is None and key is None:
        return {}
    if cert is None or key is None:
        raise BadInput("--tls-cert and --tls-key belong together; give both")
    check_private("--tls-key", key)
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key)
    except OSError as error:  # an SSLError is one too
        raise BadInput(f"--tls-cert {cert}, --tls-key {key}: {error.strerror or error}") from error
    return {"ssl_certfile": cert, "ssl_keyfile": key}


def listening_at(host: str, port: int) -> socket.socket:
    """Listens from now on; who asks before the application has started waits for it."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        made = socket.create_server((host, port), family=family, backlog=2_048)
        # Connections take it over: the rest of an answer does not wait 40 ms for the client's word.
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made
    except OSError as error:
        raise Failed(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another --port, or 0 for a "
            "free one"
        ) from error


def _told(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _loopback(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
