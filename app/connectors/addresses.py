"""Which network addresses may be reached: the public ones, and what the operator lists."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

SETTING = "UNANSWERED_ALLOW_NETWORKS"

_NOT_PUBLIC_4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by carriers
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT relays
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address inside
        "2620:4f:8000::/48",  # AS112
        "3ffe::/16",  # the former 6bone
        "3fff::/20",  # documentation
    )
)
_METADATA = tuple(
    ip_network(network)
    for network in (
        "169.254.0.0/16",  # 169.254.169.254, 169.254.170.2 and their kin of other clouds
        "100.100.100.200/32",  # Alibaba
        "192.0.0.192/32",  # Oracle
        "168.63.129.16/32",  # Azure: an address that looks public
        "fd00:ec2::/32",  # Amazon
        "fd20:ce::254/128",  # Google
        "fe80::/10",  # OpenStack: fe80::a9fe:a9fe
    )
)
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)  # RFC 5214: an IPv4 address follows these 32 bits
_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\Z")
_NUMERIC_END = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\Z")
_LONGEST_NAME = 253


def is_host_name(text: str) -> bool:
    """Whether `text` is a host name in its plain form: lower case ASCII, no closing dot, and
    nothing that any parser might read as an IPv4 address (`127.1`, `0x7f000001`).
    """
    if len(text) > _LONGEST_NAME or _NUMERIC_END.match(text):
        return False
    return _HOST_NAME.match(text) is not None


def parse_address(text: str) -> Address | None:
    """The address that `text` is, without its zone; `None` where it is none."""
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet (IANA special-purpose registries).

    IPv6 forms that carry an IPv4 address (mapped, compatible, 6to4, Teredo, NAT64, ISATAP) are
    never public, whatever is inside them.
    """
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    if address not in _GLOBAL_UNICAST or any(address in network for network in _NOT_PUBLIC_6):
        return False
    return (int(address) >> 32) & 0xFFFF_FFFF not in _ISATAP


def is_metadata(address: Address) -> bool:
    """Whether a cloud keeps its machine's credentials there: no host name ever opens these."""
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return any((inner or address) in network for network in _METADATA)


@dataclass(frozen=True, slots=True)
class AllowList:
    """What may be reached beside the public internet: by http and https, on any port."""

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()

    def lists(self, address: Address) -> bool:
        """Whether `address` is listed. A metadata address has to be listed by itself."""
        if is_metadata(address):
            return ip_network(address) in self.networks
        return any(address in network for network in self.networks)

    def permits(self, host: str, address: Address) -> bool:
        """Whether `address`, to which `host` resolves, is listed by itself or by that name."""
        return self.lists(address) or (host in self.hosts and not is_metadata(address))


def parse_allow(entries: Iterable[str]) -> AllowList:
    """Reads addresses, networks and host names; `ValueError` names the entry that is none."""
    networks: list[Network] = []
    hosts: list[str] = []
    for entry in entries:
        text = entry.strip().lower()
        if is_host_name(text):
            hosts.append(text)
        else:
            networks.append(_parse_network(entry.strip()))
    return AllowList(tuple(networks), frozenset(hosts))


def _parse_network(entry: str) -> Network:
    bare = entry[1:-1] if entry.startswith("[") and entry.endswith("]") else entry
    try:
        return ip_network(bare)
    except ValueError:
        raise ValueError(
            f"{SETTING}: {entry!r} is no address, network or host name "
            "(good ones: 10.1.2.0/24, ::1, gitlab.lan)"
        ) from None
