"""Webhooks lead to public addresses alone, unless the settings say otherwise."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from consumers.webhooks.targets import TargetRefused, check_address, check_url, networks_of

INNER = [
    "127.0.0.1",
    "0.0.0.0",  # noqa: S104 - an address that must be refused
    "10.0.0.7",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.0.192",
    "168.63.129.16",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:0:a9fe:a9fe::1",
    "fe80::1",
    "fec0::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
]


@pytest.mark.parametrize("address", INNER)
def test_no_name_leads_to_an_inner_address(address: str) -> None:
    with pytest.raises(TargetRefused, match="not a public address"):
        check_address(ip_address(address), "receiver.example", ())


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "64:ff9b::101:101"])
def test_a_public_address_may_be_used(address: str) -> None:
    check_address(ip_address(address), "receiver.example", ())


def test_an_inner_address_may_be_used_if_its_network_is_allowed() -> None:
    allowed = networks_of("10.1.0.0/16, fd12::/32,")
    for address in ("10.1.2.3", "fd12::1", "::ffff:10.1.2.3"):
        check_address(ip_address(address), "receiver.example", allowed)
    with pytest.raises(TargetRefused):
        check_address(ip_address("10.2.0.1"), "receiver.example", allowed)


def test_the_loopback_is_for_whoever_names_it() -> None:
    check_address(ip_address("127.0.0.1"), "localhost", ())
    check_address(ip_address("::1"), "[::1]", ())
    with pytest.raises(TargetRefused):
        check_address(ip_address("127.0.0.1"), "localhost.example", ())
    with pytest.raises(TargetRefused):
        check_address(ip_address("10.0.0.1"), "localhost", ())


@pytest.mark.parametrize(
    "url",
    [
        "https://receiver.example/refunds?tenant=7",
        "https://receiver.example:8443",
        "http://localhost:9000/",
        "http://127.0.0.1/",
        "http://[::1]:9000/",
        "https://1.1.1.1/",
    ],
)
def test_these_urls_may_be_used(url: str) -> None:
    check_url(url, ())


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://receiver.example/", "use https"),
        ("http://1.1.1.1/", "use https"),
        ("https://10.0.0.1/", "not a public address"),
        ("https://[fe80::1]/", "not a public address"),
        ("https://169.254.169.254/latest", "not a public address"),
        ("ftp://receiver.example/", "https://host/path"),
        ("file:///etc/passwd", "https://host/path"),
        ("receiver.example", "https://host/path"),
        ("https://", "https://host/path"),
        ("https://u:p@receiver.example/", "leave user"),
        ("https://receiver.example/#top", "leave user"),
        ("https://receiver.example:port/", "not a URL"),
        ("https://[::1/", "not a URL"),
        ("https://receiver.example/a b", "no space"),
        ("https://receiver.example/\r\nx: y", "no space"),
        ("https://receiver.example/" + "a" * 2_000, "at most 2000"),
        ("https://例.example/", "printable ASCII"),
        ("https://receiver..example/", "no name of a host"),
        ("https://" + "a" * 64 + ".example/", "no name of a host"),
    ],
)
def test_these_urls_are_refused(url: str, why: str) -> None:
    with pytest.raises(TargetRefused, match=why):
        check_url(url, ())


def test_networks_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="host bits"):
        networks_of("10.1.2.3/8")
