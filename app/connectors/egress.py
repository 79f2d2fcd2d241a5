"""The address guard: checks URLs, resolves names and dials only addresses that were vetted."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address

import httpcore
import idna

from app.connectors.addresses import (
    SETTING,
    Address,
    AllowList,
    is_host_name,
    is_metadata,
    is_public,
    parse_address,
)
from app.connectors.failures import BadResponse, Transient

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host name and port to the textual addresses of the host; `OSError` where there are none."""

SocketOption = (
    tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
)

_LONGEST_URL = 16 * 1024
_DIALLED_AT_MOST = 4
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\\ud800-\udfff\u2028\u2029\ufeff\u3000]")
_PARTS = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<rest>[^#]*)(?P<fragment>#.*)?"
)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:@%]+)(?::(?P<port>[1-9][0-9]{0,4}))?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class AddressRefused(BadResponse):
    """The address is none that this service may reach; `detail` names the setting to change."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads. `host` is lower case ASCII, an IPv6 address without its brackets."""

    scheme: str
    host: str
    port: int

    @property
    def is_plain(self) -> bool:
        """Whether it needs no permission besides a public address."""
        return self.scheme == "https" and self.port == _DEFAULT_PORTS["https"]


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host as the machine resolves them."""
    loop = asyncio.get_running_loop()
    answers = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


def parse_url(url: str) -> Target:
    """Reads a URL strictly; `AddressRefused` for everything that two parsers may read in two ways:
    user names, fragments, backslashes, control characters, spaces, zone ids, percent signs in the
    host, shortened or octal IPv4 addresses, digits and dots of other scripts.
    """
    if len(url) > _LONGEST_URL:
        raise AddressRefused(f"The address is longer than {_LONGEST_URL} characters.")
    if _FORBIDDEN.search(url):
        raise AddressRefused("The address holds a space, a control character or a backslash.")
    parts = _PARTS.fullmatch(url)
    scheme = parts["scheme"].lower() if parts else ""
    if parts is None or scheme not in _DEFAULT_PORTS:
        raise AddressRefused("The address must begin with https:// (or http://) and a host.")
    if parts["fragment"] is not None:
        raise AddressRefused("The address must not have a part after a number sign (#).")
    authority = _AUTHORITY.fullmatch(parts["authority"])
    if authority is None:
        raise AddressRefused(
            "The address must name a host and nothing else before the path: no user, no password, "
            "no zone, and a port between 1 and 65535 if any."
        )
    port = int(authority["port"] or _DEFAULT_PORTS[scheme])
    if port > 65535:  # noqa: PLR2004  # the highest port there is
        raise AddressRefused("The port of the address is above 65535.")
    return Target(scheme, _plain_host(authority["host"]), port)


def _plain_host(host: str) -> str:
    if host.startswith("["):
        address = parse_address(host[1:-1])
        if not isinstance(address, IPv6Address):
            raise AddressRefused("What stands in brackets in the address is no IPv6 address.")
        return str(address)
    plain = _to_ascii(host).lower()
    address = parse_address(plain)
    if address is not None and str(address) == plain:
        return plain
    if not is_host_name(plain):
        raise AddressRefused("The host in the address is not written in its plain form.")
    return plain


def _to_ascii(host: str) -> str:
    """The host in the form of the DNS. Names that only look like such a form (`xn--` and then no
    name) are refused too: the HTTP library fails at them in its own way.
    """
    try:
        if not host.isascii():
            return idna.encode(host, strict=True).decode("ascii")
        if "xn--" in host.lower():
            idna.decode(host, strict=True)
    except idna.IDNAError:
        raise AddressRefused("The host in the address is no valid internet name.") from None
    return host


class Guard:
    """Decides, at the moment of connecting, whether a host may be reached."""

    def __init__(self, allow: AllowList, *, resolver: Resolver = resolve) -> None:
        self._allow = allow
        self._exactly: set[tuple[str, int]] = set()
        self._resolver = resolver

    def allow_exactly(self, host: str, port: int) -> None:
        """Also permits this one host on this one port, by http and https."""
        self._exactly.add((host.lower(), port))

    def check_url(self, url: str) -> Target:
        """What can be said without asking the resolver: `AddressRefused`, or where it leads."""
        target = parse_url(url)
        address = parse_address(target.host)
        if address is not None:
            self._vet(target, [address])
        elif not (target.is_plain or self._may_be_listed(target)):
            raise _refused(target)
        return target

    async def addresses(self, target: Target) -> list[str]:
        """The vetted addresses of `target`; if one of them is refused, all are."""
        literal = parse_address(target.host)
        found = [literal] if literal is not None else await self._resolve(target)
        self._vet(target, found)
        return [str(address) for address in found]

    async def _resolve(self, target: Target) -> list[Address]:
        try:
            answers = await self._resolver(target.host, target.port)
        except (OSError, UnicodeError):
            answers = []
        if not answers:
            raise Transient(f"The name {target.host} could not be resolved to an address.")
        addresses = [parse_address(answer) for answer in answers]
        if None in addresses:
            raise _refused(target)
        return [address for address in addresses if address is not None]

    def _may_be_listed(self, target: Target) -> bool:
        named = target.host in self._allow.hosts or self._is_exact(target)
        return named or bool(self._allow.networks)

    def _is_exact(self, target: Target) -> bool:
        return (target.host, target.port) in self._exactly

    def _vet(self, target: Target, addresses: Sequence[Address]) -> None:
        if not all(self._passes(target, address) for address in addresses):
            raise _refused(target)

    def _passes(self, target: Target, address: Address) -> bool:
        if self._allow.permits(target.host, address):
            return True
        if is_metadata(address):
            return False
        return self._is_exact(target) or (target.is_plain and is_public(address))


def _refused(target: Target) -> AddressRefused:
    return AddressRefused(
        f"{target.host} (port {target.port}, {target.scheme}) may not be reached: only public "
        f"addresses by https on port 443 are. To permit it, list its address, network or host "
        f"name in {SETTING}."
    )


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections for one scheme, to addresses that the guard has vetted at that moment:
    a name that resolves to something else a second later changes nothing.
    """

    def __init__(
        self, guard: Guard, scheme: str, dialler: httpcore.AsyncNetworkBackend | None = None
    ) -> None:
        self._guard = guard
        self._scheme = scheme
        self._dialler = dialler or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        target = Target(self._scheme, host.strip("[]").lower(), port)
        addresses = (await self._guard.addresses(target))[:_DIALLED_AT_MOST]
        share = None if timeout is None else timeout / len(addresses)
        for last, address in enumerate(addresses, start=1 - len(addresses)):
            try:
                return await self._dialler.connect_tcp(
                    address, port, share, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if last == 0:
                    raise
        raise AssertionError("a vetted target has at least one address")

    async def sleep(self, seconds: float) -> None:
        await self._dialler.sleep(seconds)
