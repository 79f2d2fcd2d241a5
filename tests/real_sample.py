"""A generated sample in the shapes that Mastodon and Bluesky answer in, oddities included."""

from __future__ import annotations

from typing import Any

from tests import real_bluesky, real_mastodon
from tests.connectors import fake_bluesky as bsky
from tests.connectors import fake_mastodon as masto
from tests.real_input import Case, Json, Kept

US = masto.US
DID = bsky.US


def cases() -> list[Case]:
    """Every case once; their keys are the names of the sources."""
    return [*_of_mastodon(), *_of_bluesky()]


def _of_mastodon() -> list[Case]:
    return [
        real_mastodon.case(
            "mastodon notifications", US, "notifications", _NOTIFIED, _NOTIFIED_KEPT
        ),
        real_mastodon.case("mastodon own posts", US, "own", _OWN, _OWN_KEPT),
        real_mastodon.case(
            "mastodon context", US, "context", _CONTEXT, _CONTEXT_KEPT, watched="50"
        ),
        real_mastodon.case("mastodon timeline", US, "below", _TIMELINE, _TIMELINE_KEPT),
    ]


def _ours(number: str, **more: Any) -> Json:
    return masto.status(number, US, mentions=[], **more)


def _of_type(number: str, kind: str, **more: Any) -> Json:
    return {
        "id": number,
        "type": kind,
        "created_at": masto.at(0),
        "account": masto.account("7"),
        **more,
    }


_NOTIFIED = [
    masto.mention("19", masto.status("119", minutes=9), minutes=9),
    masto.mention("18", masto.status("118", "8", visibility="direct", content="<p>Order 7</p>")),
    _of_type("17", "mention", status=None),  # its post is gone already
    _of_type("16", "favourite", status=_ours("90")),
    _of_type("15", "poll", status=None),
    _of_type("14", "severed_relationships"),
    _of_type("13", "of.the.future", status=masto.status("113")),
    _of_type("12", "follow"),
    _of_type("11", "follow_request"),
    masto.mention("10", _ours("110", visibility="unlisted")),  # we named ourselves
    masto.mention("9", masto.status("109", in_reply_to_id="90", in_reply_to_account_id=US)),
    masto.mention("8", masto.status("108", visibility="private", in_reply_to_id="70")),
    masto.mention("7", {**masto.status("107"), "account": None}),  # nobody wrote it
]
_NOTIFIED_KEPT = Kept(
    items={
        "119": "mention",
        "118": "direct_message",
        "follow:12": "follow",
        "follow:11": "follow",
        "109": "reply",
        "108": "mention",
    },
    ours=frozenset({"110"}),
    skipped={"favourite": 1, "poll": 1, "severed_relationships": 1, "of.the.future": 1},
    quarantined=2,
    direct=frozenset({"118"}),
)
_OWN = [
    _ours("205", minutes=5, in_reply_to_id="150", in_reply_to_account_id="9"),
    _ours("204", minutes=4, visibility="direct"),
    {**_ours("203", minutes=3), "reblog": masto.status("160", "9")},
    _ours("202", minutes=2, content=""),
]
_OWN_KEPT = Kept(items={}, ours=frozenset({"205", "204", "202"}), skipped={"reblog": 1})
_CONTEXT: Json = {
    "ancestors": [masto.status("40", "9", minutes=-60)],
    "descendants": [
        masto.status("51", minutes=1, in_reply_to_id="50", in_reply_to_account_id=US, mentions=[]),
        _ours("52", minutes=2, in_reply_to_id="51", in_reply_to_account_id="7"),
        masto.status(
            "53", "8", minutes=3, in_reply_to_id="51", in_reply_to_account_id="7", mentions=[]
        ),
        masto.status("54", "8", minutes=4, visibility="direct", in_reply_to_id="52"),
    ],
}
_CONTEXT_KEPT = Kept(
    items={"51": "reply", "53": "comment", "54": "direct_message"},
    ours=frozenset({"50", "52"}),
    direct=frozenset({"54"}),
)
_TIMELINE = [
    masto.status("303", "8", minutes=3, mentions=[]),
    {**masto.status("302", "9", minutes=2), "reblog": masto.status("160", "7", minutes=1)},
    _ours("301", minutes=1),
    masto.status("160", "7", minutes=1),  # what was boosted, once more
]
_TIMELINE_KEPT = Kept(
    items={"303": "mention", "160": "mention"}, ours=frozenset({"301", real_mastodon.WATCHED})
)


def _of_bluesky() -> list[Case]:
    return [
        real_bluesky.case("bluesky notifications", DID, "notifications", _LISTED, _LISTED_KEPT),
        real_bluesky.case("bluesky feed", DID, "own", _FEED, _FEED_KEPT),
        real_bluesky.case("bluesky thread", DID, "thread", _THREAD, _THREAD_KEPT),
        real_bluesky.case("bluesky timeline", DID, "below", _SHOWN, _SHOWN_KEPT),
    ]


def _notified(reason: str, name: str, key: str, **more: Any) -> Json:
    return bsky.notification(reason, bsky.post(name, key, **more))


_ROOT = bsky.uri("brand", "root")
_LISTED: Json = {
    "notifications": [
        _notified("mention", "a", "n1", minutes=9, **bsky.names(DID)),
        _notified("reply", "a", "n2", minutes=8, parent=_ROOT),
        _notified("reply", "b", "n3", minutes=7, parent=bsky.uri("a", "n2"), root=_ROOT),
        _notified("quote", "b", "n4", minutes=6),
        bsky.follow("c", "n5", minutes=5),
        _notified("mention", "brand", "n6", minutes=4),  # we named ourselves
        _notified("like", "a", "n7"),
        _notified("repost", "a", "n8"),
        _notified("of-the-future", "a", "n9"),
        {**_notified("mention", "a", "n10"), "record": None},
        {**_notified("mention", "a", "n11"), "author": None},
    ],
    "priority": False,
    "seenAt": bsky.at(10),
}
_LISTED_KEPT = Kept(
    items={
        bsky.uri("a", "n1"): "mention",
        bsky.uri("a", "n2"): "reply",
        bsky.uri("b", "n3"): "comment",
        bsky.uri("b", "n4"): "mention",
        "at://did:plc:c/app.bsky.graph.follow/n5": "follow",
    },
    ours=frozenset({bsky.uri("brand", "n6")}),
    skipped={"like": 1, "repost": 1, "of-the-future": 1},
    quarantined=2,
)
_FEED = [
    {
        "post": bsky.post("brand", "f1", minutes=3),
        "reason": {"$type": "app.bsky.feed.defs#reasonPin"},
    },
    {
        "post": bsky.post("a", "f2", minutes=2),
        "reason": {"$type": "app.bsky.feed.defs#reasonRepost", "indexedAt": bsky.at(5)},
    },
    {"post": bsky.post("brand", "f3", minutes=1, parent=bsky.uri("a", "f2"))},
]
_FEED_KEPT = Kept(
    items={},
    ours=frozenset({bsky.uri("brand", "f1"), bsky.uri("brand", "f3")}),
    skipped={"repost": 1},
)


def _view(post: Json, *replies: Json) -> Json:
    return {"$type": "app.bsky.feed.defs#threadViewPost", "post": post, "replies": list(replies)}


def _hidden(kind: str, name: str, key: str) -> Json:
    return {"$type": f"app.bsky.feed.defs#{kind}", "uri": bsky.uri(name, key)}


_T1 = bsky.uri("brand", "t1")
_THREAD = {
    "thread": _view(
        bsky.post("brand", "t1", minutes=1),
        _view(
            bsky.post("a", "t2", minutes=2, parent=_T1),
            _view(bsky.post("brand", "t3", minutes=3, parent=bsky.uri("a", "t2"), root=_T1)),
        ),
        _hidden("blockedPost", "b", "t4"),
        {**_hidden("notFoundPost", "b", "t5"), "notFound": True},
        {"$type": "app.bsky.feed.defs#threadViewPost", "post": bsky.post("c", "t6", parent=_T1)},
    )
}
_THREAD_KEPT = Kept(
    items={bsky.uri("a", "t2"): "reply", bsky.uri("c", "t6"): "reply"},
    ours=frozenset({_T1, bsky.uri("brand", "t3")}),
    skipped={"blockedPost": 1},
)
_SHOWN = [{"post": bsky.post("a", "s1", minutes=2)}, {"post": bsky.post("brand", "s2", minutes=1)}]
_SHOWN_KEPT = Kept(
    items={bsky.uri("a", "s1"): "mention"}, ours=frozenset({bsky.uri("brand", "s2")})
)
