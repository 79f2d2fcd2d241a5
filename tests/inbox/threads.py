"""Threads, in a few words each, and what they are judged to be."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.inbox.answers import OurReply, Thread, Waiting

START = datetime(2026, 3, 1, tzinfo=UTC)
TREE = Thread(own_root="root")
FLAT = Thread(flat=True, own_root="root")


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def item(ident: int, author: str, minute: float, **more: Any) -> Waiting:
    handle = more.pop("author_handle", f"{author}@here")
    return Waiting(ident, f"i{ident}", author, at(minute), author_handle=handle, **more)


def reply(ident: int, minute: float, parent: str | None = None, *to: str, **more: Any) -> OurReply:
    known_at = more.pop("known_at", at(minute))
    return OurReply(
        ident, f"r{ident}", "us", at(minute), known_at, parent, addressed=frozenset(to), **more
    )


Case = tuple[str, Thread, list[Waiting | OurReply], str]
CASES: list[Case] = [
    ("nobody wrote", TREE, [item(1, "a", 1)], "waits"),
    ("a reply to the item", TREE, [item(1, "a", 1), reply(1, 2, "i1")], "exact"),
    ("a link beats a wrong clock", TREE, [item(1, "a", 5), reply(1, 2, "i1")], "exact"),
    ("a bot is no answer", TREE, [item(1, "a", 1), reply(1, 2, "i1", automated=True)], "waits"),
    (
        "one answer never hides another person's question",
        TREE,
        [item(1, "a", 1), item(2, "b", 1), reply(1, 2, "i1")],
        "exact waits",
    ),
    ("sent by us", TREE, [item(1, "a", 1), reply(1, 2, sent_for=1)], "sent"),
    (
        "sent beats an earlier exact one",
        TREE,
        [item(1, "a", 1), reply(1, 2, "i1"), reply(2, 3, "i1", sent_for=1)],
        "sent",
    ),
    (
        "sent for an item of another thread",
        TREE,
        [reply(1, 2, sent_for=9), item(1, "a", 1)],
        "possibly",
    ),
    # mention
    ("by id", TREE, [item(1, "a", 1), reply(1, 2, None, "a")], "mention"),
    ("by handle", TREE, [item(1, "a", 1), reply(1, 2, "root", "@A@Here")], "mention"),
    ("not before the item", TREE, [reply(1, 1, None, "a"), item(1, "a", 2)], "waits"),
    ("not in the same moment", TREE, [item(1, "a", 1), reply(1, 1, None, "a")], "waits"),
    (
        "everything the author wrote before",
        FLAT,
        [item(1, "a", 1), item(2, "a", 2), item(3, "a", 4), reply(1, 3, None, "a")],
        "mention mention waits",
    ),
    (
        "on a tree a reply to one person names the branch",
        TREE,
        [item(1, "a", 1), item(2, "b", 2, parent_external_id="i1"), reply(1, 3, "i2", "a", "b")],
        "waits exact",
    ),
    (
        "nor does its second part, which marks them",
        TREE,
        [item(1, "a", 1), item(2, "b", 2), reply(1, 3, "i2", "a"), reply(2, 4, "r1", "a")],
        "possibly exact",
    ),
    (
        "a second part below a bot's first says nothing",
        TREE,
        [item(1, "a", 1), reply(1, 2, "i1", automated=True), reply(2, 3, "r1", "a")],
        "possibly",
    ),
    (
        "the second part, where the first is no answer",
        TREE,
        [item(1, "a", 1), reply(1, 2, "i1", visibility="direct"), reply(2, 3, "r1", "a")],
        "mention",
    ),
    (
        "the second part to its author only where it names them",
        TREE,
        [item(1, "a", 1), reply(1, 2, "i1", visibility="direct"), reply(2, 3, "r1")],
        "possibly",
    ),
    (
        "below our own post",
        TREE,
        [reply(1, 0), item(1, "a", 1), reply(2, 2, "r1", "a")],
        "mention",
    ),
    ("below a message we don't hold", TREE, [item(1, "a", 1), reply(1, 2, "x", "a")], "possibly"),
    (
        "a circle of parents",
        TREE,
        [item(1, "a", 1), reply(1, 2, "r2", "a"), reply(2, 3, "r1")],
        "possibly",
    ),
    (
        "without a handle nobody is named",
        TREE,
        [item(1, "a", 1, author_handle=""), reply(1, 2, None, "@")],
        "possibly",
    ),
    # flat: exact and mention
    (
        "to a second person under the first comment",
        FLAT,
        [item(1, "a", 1), item(2, "b", 2, parent_external_id="i1"), reply(1, 3, "i1", "b@here")],
        "waits mention",
    ),
    (
        "to both",
        FLAT,
        [item(1, "a", 1), item(2, "b", 2), reply(1, 3, "i1", "a", "b")],
        "exact mention",
    ),
    # native
    ("the platform says so", FLAT, [item(1, "a", 1, native_at=at(2))], "native"),
    (
        "stronger than adjacent, weaker than mention",
        FLAT,
        [
            item(1, "a", 1, native_at=at(9)),
            item(2, "b", 3, native_at=at(9)),
            reply(1, 2),
            reply(2, 4, None, "b"),
        ],
        "native mention",
    ),
    # adjacent
    ("alone", FLAT, [item(1, "a", 1), item(2, "a", 2), reply(1, 3)], "adjacent adjacent"),
    ("never on a tree", TREE, [item(1, "a", 1), reply(1, 3)], "possibly"),
    ("two wait", FLAT, [item(1, "a", 1), item(2, "b", 2), reply(1, 3)], "possibly possibly"),
    (
        "the second came later",
        FLAT,
        [item(1, "a", 1), reply(1, 2), item(2, "b", 3)],
        "adjacent waits",
    ),
    (
        "the second in the same moment",
        FLAT,
        [item(1, "a", 1), reply(1, 2), item(2, "b", 2)],
        "possibly waits",
    ),
    (
        "the first had an answer already",
        FLAT,
        [item(1, "a", 1), reply(1, 2, None, "a"), item(2, "b", 3), reply(2, 4)],
        "mention adjacent",
    ),
    (
        "the first gets an answer later only",
        FLAT,
        [item(1, "a", 1), item(2, "b", 2), reply(1, 3), reply(2, 4, None, "a")],
        "mention possibly",
    ),
    (
        "an answer in the same moment is not earlier",
        FLAT,
        [item(1, "a", 1), item(2, "b", 2), reply(1, 3, None, "a"), reply(2, 3)],
        "mention possibly",
    ),
    (
        "who follows does not wait",
        FLAT,
        [item(1, "a", 1), item(2, "b", 1, needs_reply=False), reply(1, 2)],
        "adjacent waits",
    ),
    (
        "a reply meant for somebody else",
        FLAT,
        [item(1, "a", 1), reply(1, 2, None, "a"), item(2, "b", 3), reply(2, 4, None, "a")],
        "mention waits",
    ),
    (
        "a reply below somebody else's comment",
        FLAT,
        [item(1, "a", 1), reply(1, 2, "i1"), item(2, "b", 3), reply(2, 4, "i1")],
        "exact waits",
    ),
    (
        "a reply below the author's own first comment",
        FLAT,
        [item(1, "a", 1), item(2, "a", 2), reply(1, 3, "i1")],
        "exact adjacent",
    ),
    (
        "a reply below something we don't hold",
        FLAT,
        [item(1, "a", 1), reply(1, 2, "x")],
        "possibly",
    ),
    (
        "a reply sent for somebody else",
        FLAT,
        [item(1, "a", 5), item(2, "b", 1), reply(1, 3, sent_for=1)],
        "sent waits",
    ),
    (
        "answered by a foreign clock before it was written, it never waits",
        FLAT,
        [item(1, "a", 4), reply(1, 2, "i1"), item(2, "b", 3), reply(2, 5)],
        "exact adjacent",
    ),
    (
        "the first of two replies answers; the second fits nobody",
        FLAT,
        [item(1, "a", 1), reply(1, 2), reply(2, 3), item(2, "b", 4)],
        "adjacent waits",
    ),
    # same author
    (
        "the earlier question of the same person",
        TREE,
        [item(1, "a", 1), item(2, "a", 2), item(3, "b", 1), reply(1, 3, "i2")],
        "same_author exact waits",
    ),
    (
        "not a later one",
        TREE,
        [item(1, "a", 1), item(2, "a", 2), reply(1, 3, "i1")],
        "exact waits",
    ),
    (
        "not one of the same moment",
        TREE,
        [item(1, "a", 1), item(2, "a", 1), reply(1, 3, "i1")],
        "exact waits",
    ),
    (
        "not what the platform says without a message",
        TREE,
        [item(1, "a", 1), item(2, "a", 2, native_at=at(3))],
        "waits native",
    ),
    (
        "who waited before is out of the way for adjacent",
        FLAT,
        [item(1, "a", 1), item(2, "a", 2), reply(1, 3, "i2", "a"), item(3, "b", 4), reply(2, 5)],
        "mention exact adjacent",
    ),
    # audience
    (
        "a direct message in public",
        TREE,
        [item(1, "a", 1, visibility="direct"), reply(1, 2, "i1")],
        "possibly",
    ),
    (
        "a direct message directly",
        TREE,
        [item(1, "a", 1, visibility="direct"), reply(1, 2, "i1", visibility="direct")],
        "exact",
    ),
    (
        "a public question directly",
        TREE,
        [item(1, "a", 1), reply(1, 2, "i1", visibility="direct")],
        "possibly",
    ),
    (
        "a public one unlisted",
        TREE,
        [item(1, "a", 1), reply(1, 2, "i1", visibility="unlisted")],
        "exact",
    ),
    (
        "a public one to followers",
        TREE,
        [item(1, "a", 1), reply(1, 2, "i1", visibility="followers")],
        "possibly",
    ),
    (
        "one for followers to followers and in public",
        TREE,
        [
            item(1, "a", 1, visibility="followers"),
            item(2, "b", 1, visibility="followers"),
            reply(1, 2, "i1", visibility="followers"),
            reply(2, 3, None, "b"),
        ],
        "exact mention",
    ),
    (
        "what we sent counts with any audience",
        TREE,
        [item(1, "a", 1), reply(1, 2, "i1", visibility="direct", sent_for=1)],
        "sent",
    ),
    (
        "a direct answer leaves the public question of the same person",
        FLAT,
        [
            item(1, "a", 1),
            item(2, "a", 2, visibility="direct"),
            reply(1, 3, "i2", "a", visibility="direct"),
        ],
        "waits exact",
    ),
    (
        "a direct message does not pass for an adjacent answer",
        FLAT,
        [item(1, "a", 1), reply(1, 2, visibility="direct")],
        "possibly",
    ),
]
