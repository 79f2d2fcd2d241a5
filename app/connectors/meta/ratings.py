"""Recommendations of a Facebook Page, the ratings with stars of earlier years included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.connectors.base import JsonObject, Kind, Mention, Page, Parent, ThreadRef
from app.connectors.fields import find_text, find_url
from app.connectors.meta.nodes import (
    author_of,
    ends_of,
    find_node_id,
    node_id,
    parse_rows,
)
from app.connectors.text import clean_json, parse_time, title_of

RATING_FIELDS = (
    "created_time,recommendation_type,review_text,has_review,has_rating,rating,"
    "reviewer{id,name},open_graph_story{id}"
)
PREFIX = "rating:"
"""Before the id of the story that holds a recommendation, which has none of its own."""
_GOOD = 4  # of five stars


def parse_rating(row: JsonObject) -> Mention:
    """A recommendation without text is praise where it recommends, a review where it does not."""
    story = row.get("open_graph_story")
    external_id = PREFIX + node_id(story if isinstance(story, dict) else {})
    text = find_text(row, "review_text")
    good = _is_good(row)
    title = title_of(text) or ("Does not recommend the Page" if good is False else "Recommendation")
    at = parse_time(row.get("created_time"))
    return Mention(
        external_id=external_id,
        kind=Kind.PRAISE if good and not text else Kind.REVIEW,
        author=author_of(row, external_id, field="reviewer"),
        thread=ThreadRef(external_id, title, started_at=at),
        occurred_at=at,
        text=text,
        text_raw=text,
        permalink=find_url(row, "permalink_url"),
        raw=clean_json(row),
    )


def _is_good(row: JsonObject) -> bool | None:
    said = find_text(row, "recommendation_type").lower()
    if said in {"positive", "negative"}:
        return said == "positive"
    stars = row.get("rating")
    return stars >= _GOOD if type(stars) is int else None


def parse_ratings(rows: Sequence[Any]) -> Page:
    """A page of recommendations, each also a parent to watch: answers are comments below it."""
    parsed = parse_rows(rows, parse_rating)
    oldest, newest = ends_of(rows, "created_time")
    return Page(
        mentions=parsed.mentions,
        unparsed=parsed.unparsed,
        parents=tuple(_parent(each) for each in parsed.mentions),
        oldest_at=oldest,
        newest_at=newest,
    )


def _parent(rating: Mention) -> Parent:
    at = rating.occurred_at
    return Parent(
        rating.external_id,
        created_at=at,
        extra={
            "owner": rating.author.external_id,
            "title": rating.thread.title,
            "started_at": at.isoformat() if at else None,
        },
    )


def is_rating(external_id: str) -> bool:
    return external_id.startswith(PREFIX)


def story_of(external_id: str) -> str:
    """The id that Meta knows a recommendation, or any other thing, by."""
    return external_id.removeprefix(PREFIX)


def find_rating(rows: Sequence[Any], external_id: str) -> JsonObject | None:
    """The row of one recommendation on a page of them."""
    for row in rows:
        story = row.get("open_graph_story") if isinstance(row, dict) else None
        if find_node_id(story) == story_of(external_id):
            found: JsonObject = row
            return found
    return None
