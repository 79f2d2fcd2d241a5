"""Addresses and networks of callers: pure, and free of the web framework."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def is_within(address: str, networks: Sequence[Network]) -> bool:
    """Whether an address is of one of the networks; what is no address is of none."""
    found = parsed(address)
    return found is not None and any(found in network for network in networks)


def parsed(text: str) -> Address | None:
    """An address as people write it; one of IPv4 within IPv6 as what it is. `None`: it is none."""
    try:
        found = ip_address(text.strip().strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def network_of(address: str) -> str:
    """What one caller is counted by: an IPv4 address, or the 64 bits of a line's IPv6."""
    found = parsed(address)
    if isinstance(found, IPv6Address):
        return str(IPv6Network((found, 64), strict=False))
    return "" if found is None else str(found)
