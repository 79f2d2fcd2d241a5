"""Hacker News: who speaks of us (Algolia's search) and who answers us (the Firebase API)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from app.connectors import asking, base, failures, fields, terms
from app.connectors.base import (
    Cursor,
    JsonObject,
    Kind,
    Mention,
    Page,
    Parent,
    Shape,
    ThreadRef,
)
from app.connectors.hackernews import items
from app.connectors.text import clean_json

ALGOLIA = "https://hn.algolia.com/api/v1"
FIREBASE = "https://hacker-news.firebaseio.com/v0"
HITS = 100  # a search never shows more than 1,000 hits: its windows move by time, not by page
KIDS = 20  # answers read for one page, a request each
DEPTH = 100  # how far up a comment is followed to its story
THREAD_PAGES = 20
ANYTHING = "(story,comment,poll)"
NOT_INDEXED = base.LostRange(
    cause="not_indexed",
    detail="Comments that Hacker News has killed (dead) never reach the search.",
)
NOT_DIRECT = base.LostRange(
    cause="not_direct",
    detail="Below our posts only direct answers are read, not what others answer to those.",
)


class Settings(base.Fields):
    """What to look for, who we are, or both."""

    query: str | None = Field(
        default=None,
        min_length=1,
        max_length=500,
        title="Search words",
        description='Words to look for; in quotes, exactly these: "acme cloud".',
    )
    username: str | None = Field(
        default=None,
        min_length=1,
        max_length=60,
        pattern=r"^[A-Za-z0-9_-]+$",
        title="Our user name",
        description="Answers to its posts are read, and its answers are ours. Case matters.",
    )
    api_url: Annotated[str, AfterValidator(fields.as_base_url)] | None = Field(
        default=None,
        title="Address of another server",
        description="Asked instead of Algolia and Firebase, with the paths of both below it.",
    )

    @model_validator(mode="after")
    def _has_something_to_read(self) -> Self:
        if self.query is None and self.username is None:
            raise ValueError("set `query`, `username` or both: else there is nothing to read")
        return self


class HackerNews:
    """Reads Hacker News for one search, one user name of ours, or both. It can't write."""

    def __init__(
        self,
        *,
        settings: Settings,
        credential: None,
        http: asking.Http,
        save_credential: base.SaveCredential,
    ) -> None:
        _ = credential, save_credential  # everything is public
        self._query = settings.query
        self._username = settings.username
        self._algolia = settings.api_url or ALGOLIA
        self._items = settings.api_url or FIREBASE
        self._http = http

    def streams(self) -> Sequence[base.StreamSpec]:
        """`mentions` with a query; `own_posts`, and `replies` to them, with a user name."""
        mentions = base.StreamSpec(
            name="mentions", shape=Shape.BACKWARD, kinds=(Kind.MENTION,), lost=(NOT_INDEXED,)
        )
        own_posts = base.StreamSpec(name="own_posts", shape=Shape.BACKWARD, lists_replies=True)
        replies = base.StreamSpec(
            name="replies",
            shape=Shape.PARENT,
            kinds=(Kind.REPLY,),
            parents_from="own_posts",
            lost=(NOT_DIRECT,),
        )
        searched = (mentions,) if self._query else ()
        return (*searched, own_posts, replies) if self._username else searched

    async def check(self) -> base.Check:
        """Looks our name up, where one is set, and reads the first page of the first stream."""
        name = self._username
        if name is not None and await self._firebase("user", name) is None:
            raise failures.Gone(
                f"Hacker News shows no user {name}: case matters, and users who never posted "
                "are not shown."
            )
        page = await self.fetch_page(self.streams()[0].name, None)
        sample = base.Sample(count=len(page.mentions), newest_at=page.newest_at)
        if name is None:
            warning = "Without a user name our own answers are not recognised."
            return base.Check(None, sample=sample, warnings=(warning,))
        return base.Check(base.Identity(name, name, name), sample=sample)

    async def fetch_page(
        self,
        stream: str,
        cursor: Cursor | None,
        *,
        parent: Parent | None = None,
        since: datetime | None = None,
    ) -> Page:
        """Searches: the next 100 hits back in time, down to `since`. Replies: the next 20."""
        if stream == "mentions" and self._query:
            return await self._search(ANYTHING, self._query, cursor, since, Kind.MENTION)
        if stream == "own_posts" and self._username:
            tags = f"author_{self._username},{ANYTHING}"
            return await self._search(tags, "", cursor, since, Kind.COMMENT)
        if stream == "replies" and parent is not None:
            return await self._kids(parent, cursor)
        raise failures.BadResponse(
            f"This source has no stream called {stream}, or no parent for it."
        )

    async def fetch_thread(self, root: str) -> Page:
        """The story `root` and every comment below it that the search knows, as written."""
        found = [items.parse_one(await self._item(root), None, Kind.COMMENT)]
        cursor: Cursor | None = None
        for _ in range(THREAD_PAGES):
            tags = f"comment,story_{root}"
            found.append(await self._search(tags, "", cursor, None, Kind.COMMENT))
            if (cursor := found[-1].next_cursor) is None:
                break
        whole = items.join(found)
        every = {one.external_id: one for one in whole.mentions}
        ordered = sorted(every.values(), key=lambda one: int(one.external_id))
        return replace(whole, mentions=tuple(ordered), parents=(), more=cursor is not None)

    async def fetch_item(self, external_id: str) -> Mention:
        """One story or comment; unknown (`null`), deleted and dead ones are `Gone`."""
        item = await self._item(external_id)
        kind, thread = Kind.MENTION if self._query else Kind.COMMENT, None
        if (parent_id := fields.find_id(item, "parent")) is not None:
            parent = await self._above(parent_id)
            thread = await self._thread_of(parent)
            if self._username is not None and parent.get("by") == self._username:
                kind = Kind.REPLY
        page = items.parse_one(item, thread, kind)
        if page.gone:
            raise failures.Gone("Hacker News no longer shows this: it is deleted or dead.")
        if not page.mentions:
            raise failures.BadResponse(f"Item {external_id} of Hacker News can't be read.")
        return page.mentions[0]

    async def _search(
        self, tags: str, query: str, cursor: Cursor | None, since: datetime | None, kind: Kind
    ) -> Page:
        before, number = parse_place(cursor)
        window = [f"created_at_i<={before}"] if before else []
        window += [f"created_at_i>={int(since.timestamp())}"] if since else []
        params = [("query", query), ("tags", tags), ("hitsPerPage", str(HITS))]
        params += [("page", str(number))]
        params += [("numericFilters", ",".join(window))] if window else []
        answer = await self._http.request("GET", f"{self._algolia}/search_by_date", params=params)
        return parse_search(answer.json(), before, number, kind)

    async def _kids(self, parent: Parent, cursor: Cursor | None) -> Page:
        """Direct answers. The first request fixes the list of ids, later ones carry it along: the
        platform keeps it in the order of rank, which changes meanwhile.
        """
        thread = items.parse_watched(parent)
        waiting = None if cursor is None else parse_waiting(cursor)
        if waiting is None or thread is None:
            item = await self._item(parent.external_id)
            waiting = items.kids_of(item) if waiting is None else waiting
            thread = thread or await self._thread_of(item)
        found = [await self._kid(kid, thread) for kid in waiting[:KIDS]]
        rest = waiting[KIDS:]
        return replace(
            items.join(found), next_cursor={"waiting": rest} if rest else None, more=bool(rest)
        )

    async def _kid(self, kid: str, thread: ThreadRef) -> Page:
        """One answer as a page of its own; `null` proves nothing (a replica may be behind)."""
        value = await self._firebase("item", kid)
        return (
            Page(skipped={"null": 1})
            if value is None
            else items.parse_one(value, thread, Kind.REPLY)
        )

    async def _thread_of(self, item: JsonObject) -> ThreadRef:
        """The story on top, found by walking up: an item names its parent only."""
        for _ in range(DEPTH):
            if (parent := fields.find_id(item, "parent")) is None:
                return items.parse_thread(item)
            item = await self._above(parent)
        raise failures.BadResponse("The story above a comment was not found.")

    async def _above(self, external_id: str) -> JsonObject:
        """An item above another; that it is missing says nothing about the one below."""
        return fields.as_object(await self._firebase("item", external_id))

    async def _item(self, external_id: str) -> JsonObject:
        value = await self._firebase("item", external_id)
        if value is None:
            raise failures.Gone(f"Hacker News knows no item {external_id}.")
        item = fields.as_object(value)
        fields.get_id(item, "id")
        return item

    async def _firebase(self, kind: str, name: str) -> Any:
        """An unknown name is `null` with status 200."""
        return (await self._http.request("GET", f"{self._items}/{kind}/{name}.json")).json()


def parse_place(cursor: Cursor | None) -> tuple[int | None, int]:
    """`{"before": 1760000000, "page": 0}`: the end of the window, and the page inside it."""
    before, number = (cursor or {}).get("before"), (cursor or {}).get("page", 0)
    if not (before is None or type(before) is int) or type(number) is not int or number < 0:
        raise failures.CursorRefused("The place in the search could not be read.")
    return before, number


def parse_waiting(cursor: Cursor) -> list[str]:
    """`{"waiting": ["4711", …]}`: the answers of a parent that are still to be read."""
    waiting = cursor.get("waiting")
    if not isinstance(waiting, list) or not all(fields.find_id({"id": one}) for one in waiting):
        raise failures.CursorRefused("The list of answers still to be read could not be read.")
    return waiting


def parse_search(body: Any, before: int | None, number: int, kind: Kind) -> Page:
    """A page of hits, newest first; every one is also a parent to watch."""
    found, pages = fields.as_object(body), fields.as_object(body).get("nbPages")
    hits = found.get("hits")
    if not isinstance(hits, list) or type(pages) is not int:
        raise failures.BadResponse("The search answered without `hits` or without `nbPages`.")
    mentions, unparsed = [], []
    for hit in hits:
        try:
            mentions.append(items.parse_hit(fields.as_object(hit), kind))
        except fields.Unreadable as error:
            unparsed.append(
                base.Unparsed(fields.find_id(hit, "objectID"), error.detail, clean_json(hit))
            )
    times = [at for hit in hits if (at := items.moment(hit, "created_at_i")) is not None]
    oldest = min(times, default=None)
    place = next_place(oldest, before, number) if number + 1 < pages else None
    return Page(
        mentions=tuple(mentions),
        next_cursor=place,
        more=place is not None,
        parents=tuple(items.parse_parent(one) for one in mentions),
        unparsed=tuple(unparsed),
        oldest_at=oldest,
        newest_at=max(times, default=None),
    )


def next_place(oldest: datetime | None, before: int | None, number: int) -> Cursor:
    """The window that ends with the second of the oldest hit, which is read again; where one
    second fills a whole page, the next page of the same window.
    """
    end = None if oldest is None else int(oldest.timestamp())
    if end is None or (before is not None and end >= before):
        return {"before": before, "page": number + 1}
    return {"before": end, "page": 0}


PLATFORM = base.Platform(
    name="hackernews",
    title="Hacker News",
    connector=HackerNews,
    settings=Settings,
    credential=None,
    credential_required=False,
    default_interval=timedelta(minutes=5),
    minimum_interval=timedelta(minutes=1),
    capabilities=base.Capabilities(own_answers="exact", edits="re-read", deletions="seen"),
    notes=(
        "Hacker News has no API for writing: an answer is written in the browser and then seen.",
        "Without a user name of ours our own answers are not recognised.",
        "New posts reach the search within minutes; answers to our posts are read at the source.",
    ),
    docs="docs/platforms/hackernews.md",
    in_short=terms.InShort(
        credential="none",
        answers="a comment of ours below the item; none without `username`",
        idle_poll="1 request for each search",
        hundred=timedelta(seconds=900),
        limit="10,000 searches in an hour",
    ),
)
