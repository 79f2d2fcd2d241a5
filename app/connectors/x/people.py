"""Users of X as authors of messages, with what tells something about them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from app.connectors import fields
from app.connectors.base import JsonObject, Kind, Mention, Person, Signal, ThreadRef
from app.connectors.text import clean_json, parse_time

SITE = "https://x.com"
YOUNG = timedelta(days=30)
MANY = 1_000
"""So many accounts followed by one that hardly anybody follows look bought."""


def parse_person(user: JsonObject, seen_at: datetime | None) -> Person:
    """An author; `seen_at` is when he wrote, to tell a young account by."""
    external_id, handle = fields.get_id(user, "id"), fields.find_text(user, "username")
    created_at = parse_time(user.get("created_at"))
    return Person(
        external_id=external_id,
        handle=handle,
        display_name=fields.find_text(user, "name"),
        url=f"{SITE}/{handle}" if handle else f"{SITE}/i/user/{external_id}",
        avatar_url=fields.find_url(user, "profile_image_url"),
        followers=_count(user, "followers_count"),
        created_at=created_at,
        signals=tuple(_signals(user, created_at, seen_at)),
    )


def nobody(external_id: str) -> Person:
    """An author of whom the answer tells no more than the id."""
    return Person(external_id, url=f"{SITE}/i/user/{external_id}")


def _signals(
    user: JsonObject, created_at: datetime | None, seen_at: datetime | None
) -> Iterator[Signal]:
    if created_at and seen_at and seen_at - created_at < YOUNG:
        made = f"The account was made on {created_at:%Y-%m-%d}, less than 30 days ago."
        yield Signal("young_account", made)
    if "default_profile" in fields.find_text(user, "profile_image_url"):
        yield Signal("default_avatar", "The account has no picture of its own.")
    if user.get("description") == "":
        yield Signal("no_description", "The account says nothing about itself.")
    if 0 in {_count(user, "tweet_count"), _count(user, "post_count")}:
        yield Signal("no_posts", "The account has posted nothing.")
    followers, following = _count(user, "followers_count"), _count(user, "following_count")
    if followers is not None and following is not None and following > max(MANY, 50 * followers):
        followed = f"It follows {following} accounts and has {followers} followers."
        yield Signal("follows_many", followed)
    if user.get("verified") is True:
        kind = fields.find_text(user, "verified_type")
        yield Signal(
            "verified", f"X has verified the account ({kind})." if kind else "Verified by X."
        )


def _count(user: JsonObject, name: str) -> int | None:
    """A number of `public_metrics`; `None` where it is not told."""
    metrics = user.get("public_metrics")
    value = metrics.get(name) if isinstance(metrics, dict) else None
    return value if type(value) is int and value >= 0 else None


def parse_followers(rows: Iterable[Any]) -> tuple[list[Mention], list[tuple[Any, str]]]:
    """Followers as messages, and those that can't be read with the reason. X does not tell when
    somebody began to follow: it counts from when we see it.
    """
    found, bad = [], []
    for row in rows:
        try:
            person = parse_person(fields.as_object(row), None)
        except fields.Unreadable as error:
            bad.append((row, error.detail))
            continue
        external_id = f"follow:{person.external_id}"
        found.append(
            Mention(
                external_id=external_id,
                kind=Kind.FOLLOW,
                author=person,
                thread=ThreadRef(external_id, permalink=person.url),
                occurred_at=None,
                permalink=person.url,
                raw=clean_json(row),
            )
        )
    return found, bad
