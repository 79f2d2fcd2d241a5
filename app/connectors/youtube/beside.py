"""What is asked for beside comments: titles of videos, channels of authors, videos of threads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from app.connectors import failures
from app.connectors.base import JsonObject
from app.connectors.youtube import comments

IDS = 50  # in one request
AT_MOST = 100  # a page
KNOWN = 5_000


class Get(Protocol):
    def __call__(self, path: str, *params: tuple[str, str]) -> Awaitable[tuple[Any, object]]: ...


class Beside:
    """Asks through `get`, a unit for fifty, and remembers up to 5,000 of each kind."""

    def __init__(self, get: Get) -> None:
        self._get = get
        self._titles: dict[str, str] = {}
        self._channels: dict[str, JsonObject] = {}

    async def around(self, us: str, rows: Sequence[Any], video: str = "") -> comments.Around:
        """What the comments of an answer don't say themselves."""
        every = list(comments.comments_in(rows))
        videos = {*comments.videos_in(every).values(), *comments.videos_in(rows).values(), video}
        people = {comments.author_of(one) for one in every} - {us}
        await self._learn("videos", "snippet", videos, self._titles, comments.parse_titles)
        parse = comments.parse_channels
        await self._learn("channels", "snippet,statistics", people, self._channels, parse)
        return comments.Around(us, dict(self._titles), dict(self._channels))

    async def videos(self, rows: Sequence[Any]) -> dict[str, str]:
        """Which videos the threads of some comments are about, where they don't say it."""
        known = comments.videos_in(rows)
        roots = {root for row in rows if (root := comments.root_of(row)) and root not in known}
        if not roots:
            return known
        ids = ("id", ",".join(sorted(roots)[:IDS]))
        plain = ("textFormat", "plainText")
        try:
            body, _ = await self._get("commentThreads", ("part", "snippet"), ids, plain)
            return known | comments.videos_in(comments.items_of(body))
        except failures.ADORNING:
            return known

    async def _learn(
        self,
        path: str,
        part: str,
        ids: set[str],
        known: dict[str, Any],
        parse: Callable[[Iterable[Any]], Mapping[str, Any]],
    ) -> None:
        if len(known) > KNOWN:
            known.clear()
        missing = sorted(ids - known.keys() - {""})[:AT_MOST]
        for start in range(0, len(missing), IDS):
            chunk = missing[start : start + IDS]
            wanted = (("part", part), ("id", ",".join(chunk)), ("maxResults", str(IDS)))
            try:
                body, _ = await self._get(path, *wanted)
                found = parse(comments.items_of(body))
            except failures.ADORNING:
                return
            empty: dict[str, Any] = dict.fromkeys(chunk, "" if path == "videos" else {})
            known |= empty | dict(found)
