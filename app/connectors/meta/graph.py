"""Asks the Graph API as one account, and walks through its lists."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from app.connectors.asking import Http, Response
from app.connectors.base import Cursor, JsonObject, Page
from app.connectors.failures import BadResponse, CursorRefused
from app.connectors.fields import Unreadable, as_object
from app.connectors.meta.refusals import refusal, wish
from app.connectors.renewal import Renewing

VERSION = "v26.0"
EXPECTED = (
    HTTPStatus.OK,
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.GONE,
    HTTPStatus.INTERNAL_SERVER_ERROR,
)
"""Statuses whose body tells the cause."""

_PLACE = ("after", "until", "__paging_token", "offset")
"""The parameters that say where a list goes on. `next` as a whole is never kept: the token stands
in it, and so does a host that we did not choose.
"""
_LONGEST_ADDRESS = 16 * 1024

Params = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Reply:
    """A sound answer. `by_cursor`: the list may go on although it names no next page."""

    body: JsonObject
    answer: Response
    by_cursor: bool = False

    @property
    def rows(self) -> list[Any]:
        """The entries of a list."""
        if not isinstance(rows := self.body.get("data"), list):
            raise BadResponse("Meta answered without a list where one was expected.")
        return rows

    @property
    def place(self) -> Cursor | None:
        """Where the list goes on; `None` at its end, which is the absence of `next` alone: a short
        or even empty page is not the last one. With `by_cursor` it is an empty page too.
        """
        place = next_place(self.body)
        return cursor_place(self.body) if place is None and self.by_cursor else place


class Graph:
    """Asks with the token in a header, so that it stands in no address. `heard_at` is when the
    last answer came: the clock that a connector has; `requests` how often it has asked. `renewing`
    keeps a token that lives on. `by_cursor`: see `Reply`.
    """

    def __init__(
        self,
        *,
        http: Http,
        root: str,
        token: str,
        client_secret: str = "",
        renewing: Renewing | None = None,
        version: str = VERSION,
        by_cursor: bool = False,
    ) -> None:
        self.root = root
        self.heard_at: datetime | None = None
        self.requests = 0
        self._version = version
        self._by_cursor = by_cursor
        self._token = token
        self._http = http
        self._client_secret = client_secret
        self._renewing = renewing

    @property
    def token(self) -> str:
        """The token as it is by now."""
        return self._token if self._renewing is None else self._renewing.fields["access_token"]

    async def get(
        self, path: str, *params: tuple[str, str], item: bool = False, place: Cursor | None = None
    ) -> Reply:
        """One thing or one page of a list; see `refusals.refusal` for `item`."""
        query = (*params, *params_of(place))

        async def send(token: str) -> Response:
            self.requests += 1
            return await self._http.request(
                "GET",
                f"{self.root}/{self._version}/{path}",
                params=(*query, *self._proof(token)),
                headers={"Authorization": f"Bearer {token}"},
                expect=EXPECTED,
            )

        renewing = self._renewing
        answer = await (send(self._token) if renewing is None else renewing.ask(send))
        self.heard_at = answer.received_at
        if (failure := refusal(answer, item=item, paged=bool(place))) is not None:
            raise failure
        return Reply(as_object(answer.json()), answer, self._by_cursor)

    def _proof(self, token: str) -> Params:
        """Shows that who has the token has the app's secret too, where an app demands that."""
        if not self._client_secret:
            return ()
        return (("appsecret_proof", proof_of(token, self._client_secret)),)


def proof_of(token: str, client_secret: str) -> str:
    """HMAC-SHA256 of the token under the app's secret, in hex (Meta, Secure Graph API Calls)."""
    return hmac.new(client_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def app_token(client_id: str, client_secret: str) -> str:
    """The token of an app itself, "" where we don't know both."""
    return f"{client_id}|{client_secret}" if client_id and client_secret else ""


def onwards(page: Page, reply: Reply, state: Cursor | None = None) -> Page:
    """The page with where it leads: the bare place, or the place within a state."""
    place = reply.place
    ahead = place if state is None or place is None else {**state, "place": place}
    wished = wish(reply.answer)
    return replace(page, next_cursor=ahead, more=place is not None, poll_after=wished)


def quoted(external_id: str) -> str:
    """An id as a part of a path."""
    return quote(external_id, safe="", errors="replace")


def next_place(body: JsonObject) -> Cursor | None:
    """The parameters of `paging.next` that lead on."""
    paging = body.get("paging")
    address = paging.get("next") if isinstance(paging, dict) else None
    if address is None:
        return None
    if not isinstance(address, str) or not 0 < len(address) <= _LONGEST_ADDRESS:
        raise BadResponse("Meta says that there is more, but not where.")
    try:
        found = dict(parse_qsl(urlsplit(address).query))
    except ValueError as error:
        raise Unreadable("the address of the next page") from error
    place = {name: found[name] for name in _PLACE if found.get(name)}
    if not place:
        raise BadResponse("Meta says that there is more, but not where.")
    return place


def cursor_place(body: JsonObject) -> Cursor | None:
    """The place behind the last entry of a page; an empty page has none."""
    paging, rows = body.get("paging"), body.get("data")
    cursors = paging.get("cursors") if isinstance(paging, dict) else None
    after = cursors.get("after") if isinstance(cursors, dict) else None
    if not rows or not isinstance(after, str) or not 0 < len(after) <= _LONGEST_ADDRESS:
        return None
    return {"after": after}


def params_of(place: Cursor | None) -> Params:
    """A place in a list as parameters."""
    pairs = tuple(place.items()) if isinstance(place, dict) else ()
    sound = place is None or isinstance(place, dict)
    if not sound or any(name not in _PLACE or not isinstance(value, str) for name, value in pairs):
        raise CursorRefused("The place in the list could not be read.")
    return pairs
