"""Examples for the OpenAPI document."""

from __future__ import annotations

from app.connecting.schemas import ConnectionOut, OpenedAccount, WayIn

_REDIRECT = "https://inbox.example/connect/mastodon/callback"

WAY_IN = WayIn(
    platform="mastodon",
    redirect_uri=_REDIRECT,
    client="registered",
    scopes=["read", "profile"],
    chosen=[],
)
BEGIN = {"settings": {"instance": "https://social.example"}}
FINISH = {"account": "1", "name": "shop"}
BEGUN = ConnectionOut(
    id=7,
    platform="mastodon",
    status="waiting",
    authorize_url="https://social.example/oauth/authorize?response_type=code&client_id=a&state=b",
    open_url="https://inbox.example/connect/mastodon/7/open?ticket=5f0c",
    redirect_uri=_REDIRECT,
    accounts=[],
    source_id=None,
    error=None,
    created_at="2026-11-23T14:02:11.000Z",
    expires_at="2026-11-23T14:12:11.000Z",
)
ALLOWED = ConnectionOut(
    id=7,
    platform="mastodon",
    status="allowed",
    authorize_url=None,
    open_url=None,
    redirect_uri=_REDIRECT,
    accounts=[OpenedAccount(id="1", handle="shop@social.example", name="The shop")],
    source_id=None,
    error=None,
    created_at="2026-11-23T14:02:11.000Z",
    expires_at="2026-11-23T15:03:40.000Z",
)
