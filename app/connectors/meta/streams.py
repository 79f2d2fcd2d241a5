"""The streams of a Facebook Page and of an Instagram account, and what Meta never shows in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from app.connectors.base import Kind, LostRange, Shape, StreamSpec
from app.connectors.meta.media import CAP

RANKED = LostRange(
    "cap", "Of our posts and those of visitors Meta lists about 600 a year, chosen by rank."
)
HIDDEN = LostRange(
    "not_shown", "Comments that Meta takes for spam or keeps private are counted and not shown."
)
NEWEST = LostRange("cap", "Of a conversation Meta tells the details of the newest messages only.")
CUT = LostRange(
    "cap", "Of one post Meta shows the 50 newest comments of the first level, and no more."
)
MENTIONED = LostRange(
    "push_only",
    "Comments and captions of others that @mention the account, and stories: Meta only pushes "
    "them to a public address and offers no list.",
)
NOT_SHOWN = LostRange(
    "not_shown",
    "Comments below posts for adults, by people whom the account restricts, and of live videos "
    "that are over.",
)
MESSAGES = LostRange(
    "not_read",
    "Direct messages: Meta has a list of their own for them, with a right of its own, which is not "
    "read here.",
)
NO_TAGS = LostRange(
    "not_offered", "With Instagram Login Meta does not list posts that tag the account."
)
COUNTED = frozenset({"comments", "tagged_comments"})
"""Streams whose parents tell how many messages stand below them, answers included."""
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


def of_an_account(*, tags: bool) -> Sequence[StreamSpec]:
    """Our posts and what stands below them; `tags`: also the posts of others that tag us."""
    lost = (CUT, MENTIONED, NOT_SHOWN, MESSAGES, *(() if tags else (NO_TAGS,)))
    below = (Kind.COMMENT, Kind.REPLY)
    streams = (_listed("media"), _below("comments", "media", below, cap=CAP, lost=lost))
    return (*streams, _listed("tags", Kind.MENTION)) if tags else streams


def _listed(name: str, *kinds: Kind, **more: Any) -> StreamSpec:
    """A list of Meta's. It may be ranked, and posts wait for the Page's approval: what comes late
    stands at its old place.
    """
    return StreamSpec(name, Shape.BACKWARD, kinds, rescan_all=True, **more)


def _below(name: str, parents: str, kinds: tuple[Kind, ...], **more: Any) -> StreamSpec:
    """What a list shows no more is no proof of deletion: people hide, and Meta files as spam.
    What Meta counts and does not show is told.
    """
    return StreamSpec(
        name,
        Shape.PARENT,
        kinds,
        parents_from=parents,
        lists_replies=True,
        counts_exactly=name in COUNTED,
        **more,
    )
