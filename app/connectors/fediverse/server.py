"""One server of the Mastodon family as one account sees it: how it is asked, what it can do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

from app.connectors.asking import Http, Response
from app.connectors.base import Identity, JsonObject
from app.connectors.failures import AuthFailed, BadResponse, Gone, PermissionMissing
from app.connectors.fediverse import entities, pages
from app.connectors.fediverse.entities import Viewer

SINCE_QUOTES = 7  # api_versions.mastodon of 4.5
NOTIFICATIONS = "/api/v1/notifications"
STATUSES = "/api/v1/statuses"
NEEDS_NOTIFICATIONS = "read:notifications"
NEEDS_STATUSES = "read:statuses"
NEEDS_ACCOUNTS = "read:accounts"


@dataclass(frozen=True, slots=True)
class Us:
    """Our account on a server; `quotes`: the server knows notifications of quotes. `warnings` are
    sentences about the account for the operator.
    """

    identity: Identity
    viewer: Viewer
    quotes: bool
    warnings: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Names the list a cursor belongs to: another server or account has other ids."""
        return f"{self.viewer.account_id}@{self.viewer.instance}"


def status_path(external_id: str) -> str:
    """The path of a post; ids are the server's text and may hold anything."""
    return f"{STATUSES}/{quote(external_id, safe='')}"


class Server:
    """Asked at `base` (a URL), by the name of `instance` (the server's own URL) in handles.

    `lists_posts`: it may answer many posts with one request; learned by asking.
    """

    def __init__(self, *, instance: str, base: str, token: str, http: Http) -> None:
        self._instance = urlsplit(instance).netloc.lower()
        self._base = base
        self._token = token
        self._http = http
        self._us: Us | None = None
        self.lists_posts = True

    async def get(
        self,
        path: str,
        right: str,
        params: Iterable[tuple[str, str]] = (),
        *,
        expect: Sequence[int] = (HTTPStatus.OK,),
    ) -> Response:
        """The answer; a missing `right` is told apart from a refused account."""
        answer = await self._http.request(
            "GET",
            self._base + path,
            params=tuple(params),
            headers={"Authorization": f"Bearer {self._token}"},
            expect=(*expect, HTTPStatus.FORBIDDEN),
        )
        if answer.status == HTTPStatus.FORBIDDEN:
            raise pages.refusal(answer, right)
        return answer

    async def maybe(self, path: str) -> Any:
        """What older or smaller servers don't tell: `None` there."""
        try:
            return (await self.get(path, "read")).json()
        except (Gone, PermissionMissing, BadResponse):
            return None

    async def context(self, external_id: str) -> Any:
        return (await self.get(f"{status_path(external_id)}/context", NEEDS_STATUSES)).json()

    async def who(self, *, anew: bool = False) -> Us:
        """Who we are on this server and what it can do; asked once in the life of this object."""
        if self._us is None or anew:
            account = await self._account()
            identity = pages.parse_identity(account, self._instance)
            viewer = Viewer(identity.external_id, identity.instance)
            facts = await self.maybe("/api/v2/instance")
            quotes = pages.api_version(facts) >= SINCE_QUOTES
            self._us = Us(identity, viewer, quotes, pages.account_warnings(account))
        return self._us

    async def _account(self) -> JsonObject:
        """The token's account. The token of an application alone has none: 422 (Mastodon)."""
        answer = await self.get(
            "/api/v1/accounts/verify_credentials",
            NEEDS_ACCOUNTS,
            expect=(HTTPStatus.OK, HTTPStatus.UNPROCESSABLE_ENTITY),
        )
        if answer.status != HTTPStatus.OK:
            raise AuthFailed(
                "The token belongs to an application and to no account: copy the application's "
                "access token, or let the application in as the account."
            )
        return entities.as_object(answer.json(), "account")

    async def posts(self, external_ids: Sequence[str]) -> list[Any]:
        """Of these posts those that the server lists (Mastodon 4.3); the others must be asked for
        one by one: what is left out may be deleted, or hidden by a filter of lists only.
        """
        if not external_ids or not self.lists_posts:
            return []
        answer = await self.get(
            STATUSES,
            NEEDS_STATUSES,
            [("id[]", each) for each in external_ids],
            expect=(
                HTTPStatus.OK,
                HTTPStatus.BAD_REQUEST,
                HTTPStatus.NOT_FOUND,
                HTTPStatus.METHOD_NOT_ALLOWED,
                HTTPStatus.UNPROCESSABLE_ENTITY,
            ),
        )
        body = answer.json() if answer.status == HTTPStatus.OK else None
        self.lists_posts = isinstance(body, list)
        return body if isinstance(body, list) else []
