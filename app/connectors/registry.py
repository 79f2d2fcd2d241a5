"""Every platform that can be connected: one line each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from importlib import import_module

from app.connectors.base import Platform

_ALL = (
    # one line each, in alphabetical order: the platform's name, which is its module's too
    "bluesky",
    "demo",
    "discord",
    "facebook",
    "hackernews",
    "instagram",
    "lemmy",
    "linkedin",
    "mastodon",
    "reddit",
    "slack",
    "telegram",
    "threads",
    "tiktok",
    "wordpress",
    "x",
    "youtube",
)


class _Platforms(MutableMapping[str, Platform]):
    """The platforms by name, each imported when it is first asked for: a service starts without
    those it has no source of.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._known: dict[str, Platform | None] = dict.fromkeys(names)

    def __getitem__(self, name: str) -> Platform:
        found = self._known[name]
        if found is None:
            found = import_module(f"app.connectors.platforms.{name}").PLATFORM
            assert isinstance(found, Platform)
            self._known[name] = found
        return found

    def __setitem__(self, name: str, platform: Platform) -> None:
        self._known[name] = platform

    def __delitem__(self, name: str) -> None:
        del self._known[name]

    def __contains__(self, name: object) -> bool:
        return name in self._known

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


PLATFORMS: MutableMapping[str, Platform] = _Platforms(_ALL)
