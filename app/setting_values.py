"""How one value of a setting is read and judged."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

from app.own_apps import parse_apps

_HOST_NAME = re.compile(r"(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_-]{1,63})*\.?")


def _split(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _strip(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _is_host(value: str) -> bool:
    try:
        ipaddress.ip_address(value.strip("[]"))
    except ValueError:
        return _HOST_NAME.fullmatch(value.lower()) is not None
    return True


def _host(value: str) -> str:
    if not _is_host(value) or "*" in value:
        raise ValueError(f"{value!r} is neither an address nor a host name")
    return value


def _networks(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        try:
            ipaddress.ip_network(value, strict=False)
        except ValueError:
            if "*" in value or not _is_host(value):
                raise ValueError(f"{value!r} is no address, network or host name") from None
    return values


def _hosts(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if value != "*" and not _is_host(value):
            raise ValueError(f"{value!r} is no host name")
    return values


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{value!r} is no address of the form https://host")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("it must hold no user, password, query or fragment")
    _ = parts.port  # raises ValueError for a port that is none
    return value.rstrip("/")


def _origins(values: tuple[str, ...]) -> tuple[str, ...]:
    origins = tuple(_web_address(value) for value in values)
    for origin in origins:
        if urlsplit(origin).path:
            raise ValueError(f"{origin!r} has a path: an origin is scheme, host and port only")
    return origins


def _database_url(value: SecretStr) -> SecretStr:
    url = value.get_secret_value()
    scheme, separator, rest = url.partition("://")
    kind, _, driver = scheme.lower().partition("+")
    if not separator or kind not in {"sqlite", "postgres", "postgresql"}:
        raise ValueError(
            "it must begin with sqlite:/// or postgresql:// (sqlite:////absolute/path.db,"
            " postgresql://user:password@host/database)"
        )
    if kind == "sqlite":
        if rest.partition("?")[0] in {"", "/", "/:memory:"}:
            raise ValueError("an SQLite database needs a file: sqlite:////absolute/path.db")
        return value
    return SecretStr(f"postgresql{'+' if driver else ''}{driver}://{rest}")


def _visible(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e]{32,200}", value.get_secret_value()):
        raise ValueError("it must be 32 to 200 visible ASCII characters without blanks")
    return value


def _apps(value: SecretStr) -> SecretStr:
    parse_apps(value.get_secret_value())
    return value


def _long(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < 32:  # noqa: PLR2004  # 256 bits cannot be written shorter
        raise ValueError("it must have at least 32 characters")
    return value


def _ip_networks(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        try:
            ipaddress.ip_network(value, strict=False)
        except ValueError:
            raise ValueError(f"{value!r} is no address and no network") from None
    return values


def _issuer(value: str) -> str:
    _web_address(value)  # as it is written: some end with a slash, and that counts
    return value


def _header_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,99}", value):
        raise ValueError(f"{value!r} is no name of a header")
    if value.lower() in {"authorization", "cookie", "host", "origin", "x-forwarded-for"}:
        raise ValueError(f"{value!r} means something else already")
    return value


def _domains(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if "." not in value or not _is_host(value) or "*" in value:
            raise ValueError(f"{value!r} is no domain of addresses")
    return tuple(value.lower() for value in values)


Word = BeforeValidator(_lower)
Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
WebAddress = Annotated[str, BeforeValidator(_strip), AfterValidator(_web_address)]
Host = Annotated[str, BeforeValidator(_strip), AfterValidator(_host)]
HostNames = Annotated[Names, AfterValidator(_hosts)]
Origins = Annotated[Names, AfterValidator(_origins)]
Reachable = Annotated[Names, AfterValidator(_networks)]
IpNetworks = Annotated[Names, AfterValidator(_ip_networks)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]
LongSecret = Annotated[SecretStr, AfterValidator(_long)]
ChosenToken = Annotated[SecretStr, AfterValidator(_visible)]
OwnApps = Annotated[SecretStr, AfterValidator(_apps)]
Issuer = Annotated[str, BeforeValidator(_strip), AfterValidator(_issuer)]
HeaderName = Annotated[str, BeforeValidator(_strip), AfterValidator(_header_name)]
MailDomains = Annotated[Names, AfterValidator(_domains)]
