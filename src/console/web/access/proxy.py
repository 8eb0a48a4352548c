"""A proxy that signs people in and names them in headers, which nobody else may send."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from msgspec import Struct
from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from console.running.secret_files import read_secret
from console.running.settings import Settings
from console.terminal.errors import BadInput
from console.web.problems import Problem


class Proxy(Struct, frozen=True, kw_only=True):
    """How it is known, and what it says: by an address, by a secret, or by both if both are set."""

    addresses: tuple[IPv4Network | IPv6Network, ...]
    secret: SecretStr | None
    secret_header: str
    name_header: str | None
    roles_header: str
    roles: Mapping[str, Sequence[str]]
    csrf_key: bytes


class Named(Struct, frozen=True, kw_only=True):
    """Whom the proxy names."""

    name: str
    principals: frozenset[str]
    csrf: str


def proxy_of(settings: Settings) -> Proxy | None:
    """That of the settings; None: no proxy is trusted. BadInput for one that anybody could be."""
    secret_file, addresses = settings.proxy_secret_file, settings.proxy_addresses
    if secret_file is None and addresses is None:
        if settings.proxy_name_header is not None:
            raise BadInput(
                "REFUNDS_PROXY_NAME_HEADER: anybody could send it; set REFUNDS_PROXY_SECRET_FILE "
                "or REFUNDS_PROXY_ADDRESSES as well"
            )
        return None
    if settings.proxy_name_header is not None and not settings.proxy_roles:
        raise BadInput("REFUNDS_PROXY_ROLES: say which of its roles is which of ours")
    try:
        networks = tuple(ip_network(each.strip()) for each in (addresses or "").split(",") if each)
    except ValueError as error:
        raise BadInput(f"REFUNDS_PROXY_ADDRESSES: {error}") from error
    secret = None if secret_file is None else read_secret("REFUNDS_PROXY_SECRET_FILE", secret_file)
    own_key = secrets.token_bytes(32)
    return Proxy(
        addresses=networks,
        secret=secret,
        secret_header=settings.proxy_secret_header,
        name_header=settings.proxy_name_header,
        roles_header=settings.proxy_roles_header,
        roles=settings.proxy_roles,
        csrf_key=own_key if secret is None else secret.get_secret_value().encode(),
    )


def named_by(proxy: Proxy, headers: Headers, peer: str | None) -> Named | None:
    """Whom the headers name; None if they name nobody. Problem 403 if another than the proxy sent
    them, or one of them twice.
    """
    if proxy.name_header is None or proxy.name_header not in headers:
        return None
    if not is_the_proxy(proxy, headers, peer):
        raise Problem(403, "Not allowed", f"{proxy.name_header} is the proxy's alone to send")
    for header in (proxy.name_header, proxy.roles_header):
        if len(headers.getlist(header)) > 1:
            raise Problem(403, "Not allowed", f"{header} came twice: does the proxy replace it?")
    name = _text(headers, proxy.name_header)
    told = [each.strip() for each in _text(headers, proxy.roles_header).split(",")]
    principals = frozenset(role for each in told for role in proxy.roles.get(each, ()))
    if not name or not name.isprintable():
        raise Problem(403, "Not allowed", f"{proxy.name_header} names nobody")
    csrf = hmac.digest(proxy.csrf_key, b"csrf:" + name.encode(), "sha256").hex()
    return Named(name=name, principals=principals, csrf=csrf)


def _text(headers: Headers, name: str) -> str:
    """What a header says, in UTF-8: the letters by which people are known here in other ways."""
    try:
        return headers.get(name, "").encode("latin-1").decode()
    except UnicodeDecodeError as error:
        raise Problem(403, "Not allowed", f"{name} is not UTF-8") from error


def is_the_proxy(proxy: Proxy, headers: Headers, peer: str | None) -> bool:
    """Whether the request comes from it."""
    if proxy.addresses and not _is_in(peer, proxy.addresses):
        return False
    if proxy.secret is None:
        return bool(proxy.addresses)
    sent = headers.getlist(proxy.secret_header)
    wanted = proxy.secret.get_secret_value().encode()
    return len(sent) == 1 and hmac.compare_digest(sent[0].encode(), wanted)


class ProxyScheme:
    """Wraps an application: behind the proxy a request has the scheme that the proxy names."""

    def __init__(self, app: ASGIApp, *, proxy: Proxy) -> None:
        self._app = app
        self._proxy = proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as if the proxy's own client had asked here."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            peer = (scope.get("client") or (None,))[0]
            told = headers.get("X-Forwarded-Proto", "")
            if told in {"http", "https"} and is_the_proxy(self._proxy, headers, peer):
                scope = {**scope, "scheme": told}
        await self._app(scope, receive, send)


def _is_in(peer: str | None, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    try:
        address = ip_address(peer or "")
    except ValueError:
        return False
    return any(address in each for each in networks)
