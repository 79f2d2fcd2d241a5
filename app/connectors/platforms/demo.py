"""The demo platform (docs/demo.md): made up, served by this program itself, read over HTTP only.

The account `shop` has mentions (FORWARD), posts (BACKWARD) and the comments under them (PARENT);
`support` a chat (QUEUE) and reviews (BACKWARD): all four reading shapes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import quote

import msgspec
from pydantic import Field, SecretStr

from app.connectors.asking import Http
from app.connectors.base import (
    Capabilities,
    Check,
    Cursor,
    Fields,
    Identity,
    JsonObject,
    Kind,
    Mention,
    NativeAnswer,
    Page,
    Parent,
    Person,
    Platform,
    Quota,
    Sample,
    SaveCredential,
    Shape,
    StreamSpec,
    ThreadRef,
    Unparsed,
    Visibility,
)
from app.connectors.failures import AuthFailed, BadResponse, ConnectorError, CursorRefused
from app.connectors.text import clean_json

PAGE = "50"
POSTS = "10"  # the platform counts the comments of each post it shows
THREAD_PAGES, BEST = 40, 5  # pages, stars
KINDS: Mapping[str, Kind] = {
    "mention": Kind.MENTION,
    "post": Kind.COMMENT,  # the brand's own, seen as the top of its thread
    "comment": Kind.COMMENT,
    "reply": Kind.REPLY,
    "direct_message": Kind.DIRECT_MESSAGE,
    "review": Kind.REVIEW,
    "follow": Kind.FOLLOW,
}
_MENTIONS = (Kind.MENTION, Kind.DIRECT_MESSAGE, Kind.REPLY, Kind.FOLLOW)
_COMMENTS = (Kind.COMMENT, Kind.REPLY)
_exact = partial(StreamSpec, lists_replies=True, proves_absence=True, counts_exactly=True)
STREAMS: Mapping[str, tuple[StreamSpec, ...]] = {
    "shop": (
        StreamSpec("mentions", Shape.FORWARD, _MENTIONS),
        StreamSpec("posts", Shape.BACKWARD),
        _exact("comments", Shape.PARENT, _COMMENTS, "posts"),
    ),
    "support": (
        StreamSpec("messages", Shape.QUEUE, (Kind.DIRECT_MESSAGE, Kind.REPLY)),
        StreamSpec("reviews", Shape.BACKWARD, (Kind.REVIEW, Kind.PRAISE)),
    ),
}
Shaped = TypeVar("Shaped")
_TOKEN = re.compile(r"[A-Za-z0-9-]{1,60}")

Time = Annotated[datetime, msgspec.Meta(tz=True)]
Id = Annotated[str, msgspec.Meta(min_length=1)]


class DemoSettings(Fields):
    api_url: str = Field(pattern=r"^https?://[^/?#]+$", description="Where the platform listens.")
    account: Literal["shop", "support"] = "shop"


class DemoCredential(Fields):
    token: SecretStr


class _Person(msgspec.Struct, frozen=True):
    id: Id
    handle: str
    name: str = ""
    followers: int | None = None
    bot: bool = False


class _Thread(msgspec.Struct, frozen=True):
    id: Id
    title: str = ""
    created_at: Time | None = None


class _OwnerAnswer(msgspec.Struct, frozen=True):
    created_at: Time


class _Message(msgspec.Struct, frozen=True):
    id: Id
    type: str
    author: _Person
    created_at: Time
    thread: _Thread
    text: str = ""
    language: str = ""
    edited_at: Time | None = None
    parent_id: Id | None = None
    mentions: tuple[_Person, ...] = ()
    visibility: Literal["public", "direct"] = "public"
    stars: int | None = None
    owner_answer: _OwnerAnswer | None = None


class _Post(msgspec.Struct, frozen=True):
    id: Id
    created_at: Time
    comment_count: int
    changed_at: Time


class _Me(msgspec.Struct, frozen=True):
    id: Id
    handle: str
    name: str
    account: str
    aliases: tuple[str, ...] = ()
    rights: tuple[str, ...] = ()
    token_expires_at: Time | None = None


class _Numbered(msgspec.Struct, frozen=True):
    items: list[Any]
    next: str
    more: bool


class _Listed(msgspec.Struct, frozen=True):
    items: list[Any]
    next_cursor: str | None = None
    deleted: tuple[Id, ...] = ()


class DemoConnector:
    """Fits `base.Connector`."""

    def __init__(
        self,
        *,
        settings: DemoSettings,
        credential: DemoCredential,
        http: Http,
        save_credential: SaveCredential,  # noqa: ARG002 - its tokens are renewed by a person
    ) -> None:
        self._url = settings.api_url
        self._account = settings.account
        self._token = credential.token.get_secret_value()
        self._http = http

    async def check(self) -> Check:
        me = _shaped(await self._get("/v1/me"), _Me)
        if me.account != self._account:
            raise AuthFailed(f"This token opens another account than “{self._account}”.")
        stream = "mentions" if self._account == "shop" else "reviews"
        newest = await self.fetch_page(stream, None)
        times = [m.occurred_at for m in newest.mentions if m.occurred_at is not None]
        return Check(
            identity=Identity(me.id, me.handle, me.name, aliases=me.aliases),
            rights=me.rights,
            missing=() if "read" in me.rights else ("read",),
            sample=Sample(len(newest.mentions), max(times, default=None)),
            expires_at=me.token_expires_at,
        )

    def streams(self) -> Sequence[StreamSpec]:
        return STREAMS[self._account]

    async def fetch_page(
        self,
        stream: str,
        cursor: Cursor | None,
        *,
        parent: Parent | None = None,
        since: datetime | None = None,
    ) -> Page:
        page = await self._page(stream, cursor, parent, since)
        return replace(page, cost=1.0)

    async def _page(self, stream: str, cursor: Cursor | None, parent: Any, since: Any) -> Page:
        match stream:
            case "mentions":
                return await self._numbered("/v1/mentions", "after", cursor, since)
            case "posts":
                return read_posts(await self._listed("/v1/posts", cursor, limit=POSTS))
            case "comments" if parent is not None:
                path = f"/v1/posts/{_quoted(parent.external_id)}/comments"
                return read_listed(await self._listed(path, cursor), self._url)
            case "messages":
                return await self._numbered("/v1/messages", "offset", cursor)
            case "reviews":
                return read_listed(await self._listed("/v1/reviews", cursor), self._url)
            case _:
                raise ValueError(f"no stream {stream}, or a parent is missing")

    async def fetch_thread(self, root: str) -> Page:
        path = f"/v1/threads/{_quoted(root)}"
        pages: list[Page] = []
        cursor: Cursor | None = None
        for _ in range(THREAD_PAGES):
            pages.append(read_listed(await self._listed(path, cursor), self._url))
            if not pages[-1].more:
                return _joined(pages)
            cursor = pages[-1].next_cursor
        raise BadResponse("The demo platform's list of this conversation does not end.")

    async def fetch_item(self, external_id: str) -> Mention:
        raw = await self._get(f"/v1/items/{_quoted(external_id)}")
        message = _shaped(raw, _Message)
        if message.type not in KINDS:
            raise BadResponse("The demo platform showed a message of an unknown type.")
        return read_message(message, raw, self._url)

    async def _numbered(
        self, path: str, name: str, cursor: Cursor | None, since: datetime | None = None
    ) -> Page:
        """A list that goes on by a number, which the platform calls `name`."""
        params = {} if since is None or cursor is not None else {"since": since.isoformat()}
        if cursor is not None:
            params[name] = str(cursor[name])
        answer = _shaped(await self._get(path, limit=PAGE, **params), _Numbered)
        page = read_items(answer.items, self._url)
        return replace(page, next_cursor={name: answer.next}, more=answer.more)

    async def _listed(self, path: str, cursor: Cursor | None, *, limit: str = PAGE) -> _Listed:
        params = {} if cursor is None else {"cursor": str(cursor["cursor"])}
        return _shaped(await self._get(path, limit=limit, **params), _Listed)

    async def _get(self, path: str, **params: str) -> Any:
        answer = await self._http.request(
            "GET",
            self._url + path,
            params=list(params.items()),
            headers={"Authorization": f"Bearer {self._token}"},
            expect=(200, 400, 401),
        )
        if answer.status == HTTPStatus.OK:
            return clean_json(answer.json())
        said: Any = None
        with suppress(BadResponse):  # the status alone says enough
            said = answer.json()
        raise _refusal(answer.status, said, self._url)


def read_items(raw: Sequence[Any], url: str) -> Page:
    """The messages of a page; types that are not kept are counted."""
    messages, unparsed = _split(raw, _Message)
    known = [(message, entry) for message, entry in messages if message.type in KINDS]
    times = [message.created_at for message, _ in known]
    return Page(
        mentions=tuple(read_message(message, entry, url) for message, entry in known),
        unparsed=unparsed,
        skipped=Counter(m.type for m, _ in messages if m.type not in KINDS),
        oldest_at=min(times, default=None),
        newest_at=max(times, default=None),
    )


def read_listed(answer: _Listed, url: str) -> Page:
    """A page of a list with a cursor; deleted comments come as ids."""
    page = read_items(answer.items, url)
    return replace(
        page, gone=answer.deleted, next_cursor=_cursor(answer), more=answer.next_cursor is not None
    )


def read_posts(answer: _Listed) -> Page:
    """A page of the brand's posts, each of them a parent to watch."""
    posts, unparsed = _split(answer.items, _Post)
    times = [post.created_at for post, _ in posts]
    return Page(
        parents=tuple(Parent(p.id, p.created_at, p.changed_at, p.comment_count) for p, _ in posts),
        unparsed=unparsed,
        next_cursor=_cursor(answer),
        more=answer.next_cursor is not None,
        oldest_at=min(times, default=None),
        newest_at=max(times, default=None),
    )


def read_message(message: _Message, raw: JsonObject, url: str) -> Mention:
    permalink = _permalink(message.id, url)
    who, answered = message.author, message.owner_answer
    praise = message.type == "review" and message.stars == BEST and not message.text
    return Mention(
        external_id=message.id,
        kind=Kind.PRAISE if praise else KINDS[message.type],
        author=Person(who.id, who.handle, who.name, followers=who.followers, is_bot=who.bot),
        thread=_thread(message.thread, url),
        occurred_at=message.created_at,
        text=message.text,
        text_raw=message.text,
        parent_external_id=message.parent_id,
        permalink=permalink,
        language=message.language,
        visibility=Visibility(message.visibility),
        edited_at=message.edited_at,
        addressed=tuple(n for who in message.mentions for n in (who.id, who.handle.lower())),
        native_answer=NativeAnswer(answered.created_at, permalink) if answered else None,
        raw=raw,
    )


def _split(
    raw: Sequence[Any], shape: type[Shaped]
) -> tuple[list[tuple[Shaped, Any]], tuple[Unparsed, ...]]:
    """What has the shape, each beside its raw form, and what has not: it holds up nothing."""
    good: list[tuple[Shaped, Any]] = []
    bad: list[Unparsed] = []
    for entry in raw:
        try:
            good.append((msgspec.convert(entry, shape), entry))
        except msgspec.ValidationError as wrong:
            found = entry.get("id") if isinstance(entry, dict) else None
            bad.append(Unparsed(found if isinstance(found, str) else None, str(wrong), entry))
    return good, tuple(bad)


def _thread(thread: _Thread, url: str) -> ThreadRef:
    return ThreadRef(thread.id, thread.title, _permalink(thread.id, url), thread.created_at)


def _cursor(answer: _Listed) -> Cursor | None:
    return None if answer.next_cursor is None else {"cursor": answer.next_cursor}


def _joined(pages: Sequence[Page]) -> Page:
    """The pages of one conversation as a single one."""
    return Page(
        mentions=tuple(mention for page in pages for mention in page.mentions),
        unparsed=tuple(entry for page in pages for entry in page.unparsed),
        skipped=sum((Counter(page.skipped) for page in pages), Counter()),
    )


def _refusal(status: int, body: Any, url: str) -> ConnectorError:
    """What a 400 or 401 means. The valid token is shown on purpose: who tries it can reconnect."""
    said = body if isinstance(body, dict) else {}
    if status == HTTPStatus.BAD_REQUEST:
        if said.get("error") == "invalid_cursor":
            return CursorRefused("The demo platform no longer knows this cursor.")
        return BadResponse("The demo platform did not understand the request (status 400).")
    valid = said.get("valid_token")
    if said.get("error") == "token_expired" and isinstance(valid, str) and _TOKEN.fullmatch(valid):
        return AuthFailed(f"The demo's token has expired, as tokens do. Reconnect with: {valid}")
    return AuthFailed(f"The demo platform does not know this token. {url}/ shows those it knows.")


def _shaped(raw: Any, shape: type[Shaped]) -> Shaped:
    try:
        return msgspec.convert(raw, shape)
    except msgspec.ValidationError as wrong:
        where = str(wrong).rpartition(" - at ")[2]  # the rest may quote the answer
        raise BadResponse(f"The demo platform answered in an unknown shape, at {where}.") from None


def _permalink(number: str, url: str) -> str:
    return f"{url}/items/{_quoted(number)}"


def _quoted(part: str) -> str:
    return quote(part, safe="", errors="replace")


PLATFORM = Platform(
    name="demo",
    title="Demo",
    connector=DemoConnector,
    settings=DemoSettings,
    credential=DemoCredential,
    credential_required=True,
    default_interval=timedelta(seconds=10),
    minimum_interval=timedelta(seconds=5),
    # An exact parent for each of our answers; edits and deletions are found by reading again.
    capabilities=Capabilities(follows=True, direct_messages=True),
    notes=("Made up, and served by this program itself: no message leaves this machine.",),
    docs="demo.md",
    quota=Quota("requests", 100_000),
    hidden=True,
)
