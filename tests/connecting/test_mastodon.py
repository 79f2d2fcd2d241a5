"""Mastodon, whose servers make an app for everybody, connected through the running service."""

from __future__ import annotations

import json
from typing import Any

from tests.connecting.platform import at_the_page
from tests.connectors.fake_mastodon import FakeMastodon
from tests.connectors.fake_oauth import FakeOAuth
from tests.service import Service
from tests.serving import serving


class OneServer:
    """The pages of an authorization server, and the rest of Mastodon behind them."""

    def __init__(self) -> None:
        self.door = FakeOAuth(clients={})
        self.rest = FakeMastodon()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        if path == "/api/v1/apps":
            await self.door({**scope, "path": "/apps"}, _named(receive), send)
        elif path.startswith("/oauth/"):
            await self.door(scope, receive, send)
        else:
            await self.rest(scope, receive, send)


def _named(receive: Any) -> Any:
    async def read() -> Any:
        message = await receive()
        asked = json.loads(message["body"])
        body = json.dumps({**asked, "redirect_uri": asked["redirect_uris"]})
        return {**message, "body": body.encode()}

    return read


async def test_an_account_on_a_server_is_connected_without_an_app_of_ours(
    service: Service,
) -> None:
    server = OneServer()
    async with serving(server) as base:
        body = {"settings": {"instance": base}}
        began = await service.api.post("/api/v1/connect/mastodon", json=body)
        assert began.status_code == 201, began.text
        place = f"/api/v1/connect/mastodon/{began.json()['id']}"
        page = await service.api.get(await at_the_page(began.json()["authorize_url"]))
        assert page.status_code == 200, page.text
        (account,) = (await service.api.get(place)).json()["accounts"]
        made = await service.api.post(place, json={"name": "shop"})
        assert made.status_code == 200, made.text
        assert made.json()["identity"]["id"] == account["id"]
        again = (await service.api.post("/api/v1/connect/mastodon", json=body)).json()
        assert (await service.api.get(await at_the_page(again["authorize_url"]))).is_success
        assert len(server.door.to("/apps")) == 1
