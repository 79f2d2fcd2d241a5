"""Every platform that can be connected: one line each."""

from __future__ import annotations

from app.connectors.base import Platform
from app.connectors.platforms import (
    bluesky,
    demo,
    facebook,
    hackernews,
    instagram,
    mastodon,
    wordpress,
    x,
    youtube,
)

_ALL: tuple[Platform, ...] = (
    # one line each, in alphabetical order
    bluesky.PLATFORM,
    demo.PLATFORM,
    facebook.PLATFORM,
    hackernews.PLATFORM,
    instagram.PLATFORM,
    mastodon.PLATFORM,
    wordpress.PLATFORM,
    x.PLATFORM,
    youtube.PLATFORM,
)

PLATFORMS: dict[str, Platform] = {platform.name: platform for platform in _ALL}
