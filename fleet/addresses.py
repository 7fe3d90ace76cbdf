"""Where notices may go: e-mail addresses that are ones, and web addresses that lead out of this network. Pure."""

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

_EMAIL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*")
_LONGEST: Final = 254
_LONGEST_URL: Final = 500
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_this_machine(host: str) -> bool:
    """Whether `host` names this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def email_fault(address: str) -> str | None:
    """Why `address` cannot be written to, in words; None when it can."""
    if len(address) > _LONGEST or _EMAIL.fullmatch(address) is None:
        return "write it as name@school.example, without anything around it"
    return None


def url_fault(url: str, *, allow_private: bool) -> str | None:
    """Why a webhook may not have this address, as far as its text tells; None when it may."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "this is no web address"
    host = parts.hostname or ""
    odd = not url.isascii() or not url.isprintable() or " " in url or len(url) > _LONGEST_URL or not host or port == 0
    plain = parts.scheme == "http" and allow_private and is_this_machine(host)
    named = parts.username is not None or parts.password is not None
    faults = (
        (odd, "this is no web address"),
        (named, "no user or password belongs in it; the receiver knows us by the signature"),
        (bool(parts.fragment), "a part after # is never sent; leave it out"),
        (parts.scheme != "https" and not plain, "it begins with https://"),
    )
    return next((words for is_so, words in faults if is_so), None) or _host_fault(host, allow_private=allow_private)


def _host_fault(host: str, *, allow_private: bool) -> str | None:
    try:
        literal = ipaddress.ip_address(host)
    except ValueError:
        return None  # a name: what it leads to is looked at when something is sent
    return ip_fault(literal, allow_private=allow_private)


def ip_fault(address: Address, *, allow_private: bool) -> str | None:
    """Why nothing may be sent to this address, in words; None when it may."""
    while isinstance(address, ipaddress.IPv6Address) and (inner := _inside(address)) is not None:
        address = inner
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return f"{address} is no address of a receiver"
    inside = address.is_loopback or address.is_private
    if inside and not allow_private:
        return f"{address} is a private address; `allow_private` under [webhook] allows those"
    if not inside and not address.is_global:
        return f"{address} is no address of a receiver"
    return None


def _inside(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one leads to, in the forms that hide one."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None
