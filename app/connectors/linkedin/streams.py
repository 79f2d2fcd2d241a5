"""The streams of a LinkedIn Page, and what LinkedIn never shows in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from app.connectors.base import Kind, LostRange, Shape, StreamSpec

KEPT = timedelta(days=60)
POSTS_INTERVAL = timedelta(hours=6)
OLDER = LostRange(
    "retention", "Notifications are kept for 60 days: what was written before, under posts where "
    "nothing has happened since, is not found."
)  # fmt: skip
TAGGED = LostRange(
    "not_notified", "Tags of the Page in comments on posts of others are not documented as told."
)
NO_LIST = LostRange("not_offered", "Messages to the Page and its followers: there is no list.")
WRITTEN = (Kind.COMMENT, Kind.REPLY)


def of_a_page() -> Sequence[StreamSpec]:
    """What happened, and below each post where something did, the comments. Posts that are not
    public cause no notifications; these are found by the list of our posts and watched by time.
    """
    return (
        StreamSpec(
            "notifications",
            Shape.BACKWARD,
            (Kind.MENTION, Kind.SHARE),
            lost=(OLDER, TAGGED, NO_LIST),
        ),
        StreamSpec(
            "comments", Shape.PARENT, WRITTEN, parents_from="notifications", lists_replies=True
        ),
        StreamSpec("posts", Shape.BACKWARD, interval=POSTS_INTERVAL),
        StreamSpec(
            "quiet_comments", Shape.PARENT, WRITTEN, parents_from="posts", lists_replies=True
        ),
    )
