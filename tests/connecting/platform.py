"""A platform that is connected through its page, and the person before the browser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
from pydantic import Field

from app.connectors.asking import Http, Response
from app.connectors.base import (
    Capabilities,
    Check,
    Cursor,
    Fields,
    Identity,
    Mention,
    Page,
    Parent,
    Platform,
    Quota,
    Sample,
    SaveCredential,
    Shape,
    StreamSpec,
)
from app.connectors.failures import AuthFailed, Blind, Gone
from app.connectors.oauth import Account, Client, Endpoints, Granted, OAuth
from app.connectors.registry import PLATFORMS
from app.connectors.renewal import Renewing, by_refresh_token
from app.connectors.terms import Access, Estimate, Retention
from app.connectors.tokens import credential_of

LETTER = r"^[a-z-]+$"


class Settings(Fields):
    api_url: str
    page: str = Field(pattern=LETTER)  # comes with the account


class Credential(Fields):
    access_token: str = Field(repr=False, min_length=1, json_schema_extra={"writeOnly": True})
    refresh_token: str = Field(default="", repr=False, json_schema_extra={"writeOnly": True})
    expires_at: str = ""
    client_id: str = ""
    client_secret: str = Field(default="", repr=False, json_schema_extra={"writeOnly": True})


class Pages:
    """Reads one page of a person's; what it reads is always empty."""

    def __init__(
        self,
        *,
        settings: Settings,
        credential: Credential,
        http: Http,
        save_credential: SaveCredential,
    ) -> None:
        self._settings = settings
        self._http = http
        self._tokens = Renewing(
            credential=credential.model_dump(),
            renew=by_refresh_token(f"{settings.api_url}/oauth/token"),
            http=http,
            save_credential=save_credential,
        )

    async def _ask(self, path: str) -> Any:
        async def send(token: str) -> Response:
            headers = {"Authorization": f"Bearer {token}"}
            url = f"{self._settings.api_url}{path}"
            return await self._http.request("GET", url, headers=headers, expect=(200, 401))

        answer = await self._tokens.ask(send)
        if answer.status != 200:
            raise AuthFailed("The platform refuses the token.")
        return answer.json()

    async def check(self) -> Check:
        me = await self._ask("/me")
        if me.get("blind"):
            raise Blind("The token sees nothing of the page.")
        page = self._settings.page
        return Check(
            Identity(me.get("page", f"id-{page}"), me.get("called", page)),
            rights=tuple(me.get("rights", ("read",))),
            missing=tuple(me.get("missing", ())),
            sample=Sample(0, None),
            warnings=tuple(me.get("warnings", ())),
            expires_at=self._tokens.expires_at,
            estimate=Estimate("reads", 24.0, "one read an hour"),
        )

    def streams(self) -> Sequence[StreamSpec]:
        return (StreamSpec("comments", Shape.FORWARD),)

    async def fetch_page(
        self,
        stream: str,
        cursor: Cursor | None,
        *,
        parent: Parent | None = None,
        since: datetime | None = None,
    ) -> Page:
        await self._ask("/comments")
        return Page()

    async def fetch_thread(self, root: str) -> Page:
        return Page()

    async def fetch_item(self, external_id: str) -> Mention:
        raise Gone("There is none.")


def endpoints(settings: Settings) -> Endpoints:
    return Endpoints(f"{settings.api_url}/oauth/authorize", f"{settings.api_url}/oauth/token")


async def accounts(http: Http, granted: Granted) -> Sequence[Account]:
    kept = credential_of(granted)
    headers = {"Authorization": f"Bearer {kept['access_token']}"}
    listed = await http.request("GET", f"{granted.settings.api_url}/accounts", headers=headers)
    return [
        Account(each["id"], each["name"], f"Page {each['name']}", kept, {"page": each["name"]})
        for each in listed.json()
    ]


async def register(http: Http, settings: Settings, redirect_uri: str) -> Client:
    asked = {"redirect_uri": redirect_uri}
    made = (await http.request("POST", f"{settings.api_url}/apps", json=asked)).json()
    return Client(made["client_id"], made["client_secret"])


PAGES = Platform(
    name="pages",
    title="Pages",
    connector=Pages,
    settings=Settings,
    credential=Credential,
    credential_required=True,
    default_interval=timedelta(seconds=60),
    minimum_interval=timedelta(seconds=60),
    capabilities=Capabilities(),
    quota=Quota("reads", 100.0, "day", "UTC"),
    access=Access(review="App review.", shortest="Your own account needs none.", price="Free."),
    retention=Retention("Terms, 3.2", timedelta(days=30), wipe_gone=True),
    oauth=OAuth(("read", "manage"), endpoints, accounts, chosen=("page",)),
)


@contextmanager
def offered(**changes: Any) -> Iterator[None]:
    """It is registered for a while; `changes` are of its way in."""
    assert PAGES.oauth is not None
    PLATFORMS[PAGES.name] = replace(PAGES, oauth=replace(PAGES.oauth, **changes))
    yield
    del PLATFORMS[PAGES.name]


async def at_the_page(address: str) -> str:
    """What the browser of a person is sent to, who says yes (or no) on the platform's page."""
    async with httpx.AsyncClient() as browser:
        answered = await browser.get(address)
    assert answered.status_code == 302, answered.text
    return answered.headers["location"]
