"""The streams of a Facebook Page, and what Meta will never show in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from app.connectors.base import Kind, LostRange, Shape, StreamSpec

RANKED = LostRange(
    "cap", "Of our posts and those of visitors Meta lists about 600 a year, chosen by rank."
)
HIDDEN = LostRange(
    "not_shown", "Comments that Meta takes for spam or keeps private are counted and not shown."
)
NEWEST = LostRange("cap", "Of a conversation Meta tells the details of the newest messages only.")
BELOW = (Kind.COMMENT, Kind.REPLY, Kind.DIRECT_MESSAGE)


def of_a_page(*, messages: bool) -> Sequence[StreamSpec]:
    """Three lists of posts and, below each, the comments; with `messages` Messenger too."""
    streams = (
        _listed("feed", Kind.MENTION, lost=(RANKED,)),
        _below("comments", "feed", BELOW, lost=(HIDDEN,)),
        _listed("tagged", Kind.MENTION),
        _below("tagged_comments", "tagged", BELOW),
        _listed("ratings", Kind.REVIEW, Kind.PRAISE, interval=timedelta(hours=1)),
        _below("rating_comments", "ratings", BELOW),
    )
    if not messages:
        return streams
    talks = StreamSpec("conversations", Shape.BACKWARD)
    said = _below("messages", "conversations", (Kind.DIRECT_MESSAGE,), lost=(NEWEST,))
    return (*streams, talks, said)


def _listed(name: str, *kinds: Kind, **more: Any) -> StreamSpec:
    """A list of Meta's. It may be ranked, and posts wait for the Page's approval: what comes late
    stands at its old place.
    """
    return StreamSpec(name, Shape.BACKWARD, kinds, rescan_all=True, **more)


def _below(name: str, parents: str, kinds: tuple[Kind, ...], **more: Any) -> StreamSpec:
    """What a list shows no more is no proof of deletion: people hide, and Meta files as spam."""
    return StreamSpec(name, Shape.PARENT, kinds, parents_from=parents, lists_replies=True, **more)
