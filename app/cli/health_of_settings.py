"""Settings that `doctor` finds at odds with one another, or with the proxy before the service."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.cli.health import Finding, fail

if TYPE_CHECKING:
    from app.settings import Settings

WIDE = 8
"""Bits: a network with fewer fixed is most of the internet."""
ANSWERS = frozenset({200, 503})
"""What `/readyz` says: the second has its own line."""


def examine(settings: Settings, *, running: bool) -> Iterator[Finding]:
    """What contradicts; and whether the public address leads to the service that runs."""
    yield from _names(settings)
    yield from _keys(settings)
    yield from _secret_files()
    yield from _networks(settings)
    yield from _proxies(settings)
    if settings.log_level == "debug":
        yield Finding("warn", "logs", "at debug they hold addresses and texts of the platforms",
                      "unset UNANSWERED_LOG_LEVEL")  # fmt: skip
    if settings.public_url is not None and running:
        yield _led_here(settings.public_url)


def _names(settings: Settings) -> Iterator[Finding]:
    """The proxy passes on the host that people asked for."""
    public = settings.public_url
    if public is None or not settings.trusted_hosts:
        return
    host = (urlsplit(public).hostname or "").lower()
    if not any(fnmatchcase(host, each.lower()) for each in settings.trusted_hosts):
        yield fail("trusted hosts", f"{host} of UNANSWERED_PUBLIC_URL is not among them: every "
                   "request is refused", f"add {host} to UNANSWERED_TRUSTED_HOSTS")  # fmt: skip


def _keys(settings: Settings) -> Iterator[Finding]:
    file = settings.data_dir / "secret.key"
    if settings.secret_key is not None and file.exists():
        yield Finding("warn", "key", f"UNANSWERED_SECRET_KEY is used, {file} is not read",
                      f"keep one of the two: unset it, or put '{file}' away")  # fmt: skip


def _secret_files() -> Iterator[Finding]:
    """Secrets of the settings that lie in files; a container shows them to everybody inside."""
    from app.environment import read_names
    from app.settings import Settings

    if os.name != "posix":
        return
    for name, given in sorted(read_names().items()):
        path = Path(given).expanduser()
        if name.removesuffix("_FILE").lower() not in Settings.secrets or name[-5:] != "_FILE":
            continue
        if path.is_file() and path.stat().st_mode & 0o007:
            yield Finding("warn", "secret file", f"everybody on this machine can open {path} of "
                          f"UNANSWERED_{name}", f"chmod o= '{path}'")  # fmt: skip


def _networks(settings: Settings) -> Iterator[Finding]:
    for each in settings.allow_networks:
        with suppress(ValueError):
            if ipaddress.ip_network(each, strict=False).prefixlen < WIDE:
                yield fail("networks", f"UNANSWERED_ALLOW_NETWORKS holds {each}: webhooks may "
                           "reach everything inside", "name the one network you need")  # fmt: skip


def _proxies(settings: Settings) -> Iterator[Finding]:
    """Who passes on an address is believed; without one, everybody counts as the proxy."""
    public, networks = settings.public_url, settings.proxy_networks
    for each in networks:
        if ipaddress.ip_network(each, strict=False).prefixlen < WIDE:
            yield fail("proxy networks", f"UNANSWERED_PROXY_NETWORKS holds {each}: anybody may "
                       "claim any address", "name the proxy alone")  # fmt: skip
    if public is not None and public.startswith("https://") and not networks:
        yield Finding("warn", "proxy networks", "none is named: wrong passwords of everybody "
                      "count together", "set UNANSWERED_PROXY_NETWORKS=127.0.0.1")  # fmt: skip


def _led_here(public: str) -> Finding:
    """Asked without a token: whoever answers there need not be us."""
    from app.cli.client import Api, Place
    from app.cli.failure import Failure

    with Api(Place(public, None, "UNANSWERED_PUBLIC_URL")) as api:
        try:
            status, _, _ = api.ready()
        except Failure as trouble:
            return Finding("warn", "proxy", trouble.sentence, "see docs/proxy.md")
    if status not in ANSWERS:
        told = f"{public}/readyz answers with status {status}"
        return Finding("warn", "proxy", told, "see docs/proxy.md")
    return Finding("ok", "proxy", f"{public} leads to a service")
