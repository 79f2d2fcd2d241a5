"""What a source is before it is saved."""

from __future__ import annotations

import pytest

from app.connectors.platforms import bluesky, hackernews, mastodon
from app.sources.drafts import base_url


@pytest.mark.parametrize("api_url", ["https://mirror.example", None])
def test_limits_count_where_a_source_is_asked(api_url: str | None) -> None:
    """A mirror in the place of a server has a floor of its own."""
    social = mastodon.Settings(instance="https://social.example", api_url=api_url)
    sky = bluesky.Settings(handle="brand.test", api_url=api_url)
    news = hackernews.Settings(query="acme", api_url=api_url)
    assert base_url(mastodon.PLATFORM, social) == (api_url or "https://social.example")
    assert base_url(bluesky.PLATFORM, sky) == (api_url or "https://bsky.social")
    assert base_url(hackernews.PLATFORM, news) == (api_url or "https://hackernews")
