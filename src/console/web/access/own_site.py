"""Refuses what the page of another site makes a browser send to us."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from console.web.problems import Problem

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
_OWN = frozenset({"same-origin", "none"})


def refuse_other_sites(headers: Mapping[str, str]) -> None:
    """403 for a request that a page of another site sent; programs send neither header."""
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if site is not None and site not in _OWN:
        raise _of_other_site(site)
    if origin is not None and _authority(origin) != headers.get("Host", "").lower():
        raise _of_other_site(origin)


def refuse_other_hosts(headers: Mapping[str, str], hosts: frozenset[str]) -> None:
    """403 for a request to a name that is not in `hosts`: another site can let its own name lead
    to a loopback address, and its pages would then be of the same site.
    """
    told = headers.get("Host", "")
    if _name(told) not in hosts:
        raise Problem(
            403,
            "Not allowed",
            f"the host {told[:60]!r} is not served; ask for {' or '.join(sorted(hosts))}",
        )


def _of_other_site(told: str) -> Problem:
    return Problem(
        403, "Not allowed", f"the request is from a page of another site ({told[:60]}); use ours"
    )


def _authority(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
