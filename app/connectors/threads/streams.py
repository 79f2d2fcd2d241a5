"""The streams of a Threads account, and what Meta never shows in them."""

from __future__ import annotations

from collections.abc import Sequence

from app.connectors.base import Kind, LostRange, Shape, StreamSpec

ATTACHED = LostRange(
    "not_listed", "A long text attached to a reply or a mention (up to 10,000 characters)."
)
PRIVATE = LostRange("not_shown", "Mentions by private profiles are not shown to apps.")
TESTERS = LostRange(
    "not_approved",
    "While the app lacks Advanced Access to threads_manage_mentions, Meta lists only mentions by "
    "people who are testers of the app.",
)
NO_LIST = LostRange(
    "not_offered",
    "Quotes and reposts that do not name the account, direct messages and followers: Meta offers "
    "no list.",
)
WAITING = LostRange(
    "held", "Replies that wait for approval are read with the setting `approvals` only."
)
WRITTEN = (Kind.MENTION, Kind.REPLY)


def of_an_account(*, approvals: bool) -> Sequence[StreamSpec]:
    """Our posts and what stands below them, mentions, what we answered and who answered that.

    The list of our posts is read to its end each day: whether a post has replies by now is told
    there only. A conversation shows everything that stands, what is hidden included; what our own
    lists and conversations no longer show is deleted.
    """
    lost = (ATTACHED,) if approvals else (ATTACHED, WAITING)
    streams = (
        StreamSpec("posts", Shape.BACKWARD, rescan_all=True),
        StreamSpec(
            "replies",
            Shape.PARENT,
            WRITTEN,
            parents_from="posts",
            lists_replies=True,
            proves_absence=True,
            lost=lost,
        ),
        StreamSpec("mentions", Shape.BACKWARD, (Kind.MENTION,), lost=(PRIVATE, TESTERS, NO_LIST)),
        StreamSpec(
            "own_replies",
            Shape.BACKWARD,
            rescan_all=True,
            lists_replies=True,
            proves_absence=True,
        ),
        StreamSpec("answers", Shape.PARENT, WRITTEN, parents_from="own_replies"),
    )
    waiting = StreamSpec("held", Shape.PARENT, WRITTEN, parents_from="posts")
    return (*streams, waiting) if approvals else streams
