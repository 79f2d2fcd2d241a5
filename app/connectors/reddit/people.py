"""Users of Reddit as authors of messages, with what tells something about them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from app.connectors import fields
from app.connectors.base import JsonObject, Person, Signal
from app.connectors.text import parse_time

SITE = "https://www.reddit.com"
NOBODY = "[deleted]"
ROBOT = "AutoModerator"
YOUNG = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Facts:
    """What Reddit tells of an account beside its messages; `None` where it tells nothing."""

    created_at: datetime | None = None
    karma: int | None = None
    avatar_url: str = ""


UNKNOWN = Facts()


def parse_facts(body: Any) -> dict[str, Facts]:
    """Accounts by their ids (`t2_…`), as `GET /api/user_data_by_account_ids` answers."""
    told = body.items() if isinstance(body, dict) else ()
    return {key: _facts(row) for key, row in told if isinstance(row, dict)}


def _facts(row: JsonObject) -> Facts:
    numbers = [row.get(name) for name in ("link_karma", "comment_karma")]
    known = [one for one in numbers if type(one) is int and abs(one) < fields.LARGEST]
    return Facts(
        created_at=parse_time(row.get("created_utc")),
        karma=sum(known) if len(known) == len(numbers) else None,
        avatar_url=fields.find_url(row, "profile_img"),
    )


def account_ids(rows: Iterable[JsonObject]) -> set[str]:
    """The accounts of whoever wrote these things, as far as they tell them."""
    return {one for row in rows if (one := fields.find_text(row, "author_fullname"))}


def parse_author(row: JsonObject, external_id: str, known: Mapping[str, Facts]) -> Person:
    """Who wrote a thing. A closed account leaves nothing to tell it by: each of its messages then
    is a person of its own. What a subreddit's moderators write together is the subreddit's.
    """
    name = fields.find_text(row, "author")
    account = fields.find_text(row, "author_fullname")
    if name == NOBODY:
        return Person(f"deleted:{external_id}", display_name=name)
    if not name:
        return _place(row)
    facts = known.get(account, UNKNOWN)
    written_at = parse_time(row.get("created_utc"))
    return Person(
        external_id=account or f"name:{name.lower()}",
        handle=name,
        display_name=name,
        url=f"{SITE}/user/{quote(name, safe='')}",
        avatar_url=facts.avatar_url,
        is_bot=name == ROBOT,
        created_at=facts.created_at,
        signals=tuple(_signals(row, facts, written_at)),
    )


def _place(row: JsonObject) -> Person:
    place = fields.find_text(row, "subreddit")
    if not place:
        raise fields.Unreadable("author is not text")
    shown = f"r/{place}"
    url = f"{SITE}/r/{quote(place, safe='')}"
    return Person(f"subreddit:{place.lower()}", handle=shown, display_name=shown, url=url)


def _signals(row: JsonObject, facts: Facts, written_at: datetime | None) -> Iterator[Signal]:
    made = facts.created_at
    if made and written_at and timedelta() <= written_at - made < YOUNG:
        young = f"The account was made on {made:%Y-%m-%d}, less than 30 days before."
        yield Signal("young_account", young)
    if facts.karma is not None and facts.karma < 0:
        yield Signal("low_karma", f"Its karma is {facts.karma}: others vote it down.")
    role = fields.find_text(row, "distinguished")
    if role == "admin":
        yield Signal("employee", "Speaks for Reddit.")
    elif role:
        yield Signal("moderator", "Speaks as a moderator of the subreddit.")
