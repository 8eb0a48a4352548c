"""Which addresses a webhook may have: none of the inner network, unless the settings allow it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from socket import SOCK_STREAM
from typing import Any
from urllib.parse import urlsplit

import httpcore2

from ledger.values.wording import worded

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""A host and a port → its addresses."""
LONGEST_URL = 2_000
_SPECIAL = tuple(ip_network(each) for each in ("192.0.0.0/24", "168.63.129.16/32", "fec0::/10"))
"""Not private by the registries, and yet the inner services of clouds, and sites of old."""
_TRANSLATED = ip_network("64:ff9b::/96")


class TargetRefused(Exception):
    """A webhook leads to an address that it may not have; the message says which and why."""


def networks_of(text: str) -> tuple[Network, ...]:
    """Networks as the setting writes them: `10.1.0.0/16,fd12::/32`. ValueError."""
    return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())


def check_url(url: str, allowed: Iterable[Network]) -> None:
    """TargetRefused for an URL that no webhook may have. A name is resolved when it is used."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise TargetRefused(worded("it is not a URL: {error}", error=error)) from error
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > LONGEST_URL:
        raise TargetRefused(
            worded(
                "a URL has at most {most} printable ASCII characters, and no space",
                most=LONGEST_URL,
            )
        )
    if parts.scheme not in {"https", "http"} or not host:
        raise TargetRefused(worded("write it as https://host/path"))
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise TargetRefused(
            worded("leave user, password and fragment out; the requests are signed")
        )
    address = _literal(host)
    if address is None and not _can_be_looked_up(host):
        raise TargetRefused(
            worded("{host} is no name of a host: a part of it is empty or too long", host=host[:60])
        )
    if parts.scheme == "http" and not _names_loopback(host):
        raise TargetRefused(worded("http is for a loopback address alone; use https"))
    if address is not None:
        check_address(address, host, allowed)


def check_address(address: Address, host: str, allowed: Iterable[Network]) -> None:
    """TargetRefused for an address that is not public, unless it is in an allowed network, or the
    URL itself names the loopback.
    """
    inner = _inner(address)
    if any(address in network or inner in network for network in allowed):
        return
    if inner.is_loopback and _names_loopback(host):
        return
    special = inner.is_multicast or inner.is_reserved or any(inner in each for each in _SPECIAL)
    if special or not inner.is_global or not address.is_global:
        raise TargetRefused(
            worded(
                "{host} leads to {address}, which is not a public address; allow its network with "
                "REFUNDS_WEBHOOK_NETWORKS if it is meant",
                host=host,
                address=address,
            )
        )


async def resolved(host: str, port: int) -> Sequence[str]:
    """The addresses of a host by this machine's resolver. OSError, also for what is no name."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"{host} is no name of a host") from error
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class CheckedNetwork(httpcore2.AsyncNetworkBackend):
    """Opens connections to addresses that were checked.

    A name is resolved once for a connection, every address of it is checked, and the connection
    goes to one of those: a second answer of the resolver cannot lead it elsewhere. The certificate
    is verified for the name.
    """

    def __init__(self, allowed: Iterable[Network], resolve: Resolve = resolved) -> None:
        self._allowed = tuple(allowed)
        self._resolve = resolve
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """A connection. TargetRefused, or an error of the library."""
        literal = _literal(host)
        found = [str(literal)] if literal else await self._resolve(host, port)
        if not found:
            raise httpcore2.ConnectError(f"{host} has no address")
        for each in found:
            check_address(ip_address(each.partition("%")[0]), host, self._allowed)
        for each in found[:-1]:
            try:
                return await self._network.connect_tcp(each, port, timeout)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return await self._network.connect_tcp(found[-1], port, timeout)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Never."""
        raise TargetRefused(f"{path} is no address of a webhook")

    async def sleep(self, seconds: float) -> None:
        """As the library does."""
        await self._network.sleep(seconds)


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def _can_be_looked_up(host: str) -> bool:
    """As the resolver sees it, which encodes a name before it asks."""
    try:
        return bool(host.encode("idna"))
    except UnicodeError:
        return False


def _names_loopback(host: str) -> bool:
    address = _literal(host)
    return host.rstrip(".").lower() == "localhost" or (address is not None and address.is_loopback)


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 address only carries; otherwise itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    carried = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or carried or address
