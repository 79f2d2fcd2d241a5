"""Threads with items that a person has reopened, and others where moments and audiences meet."""

from tests.inbox.threads import FLAT, TREE, Case, at, item, reply

REOPENED: list[Case] = [
    (
        "known at the reopening",
        TREE,
        [item(1, "a", 1, answers_since=at(5)), reply(1, 2, "i1")],
        "waits",
    ),
    (
        "from before, but known only afterwards",
        TREE,
        [item(1, "a", 1, answers_since=at(5)), reply(1, 2, "i1", known_at=at(6))],
        "possibly",
    ),
    (
        "a mention known only afterwards",
        TREE,
        [item(1, "a", 1, answers_since=at(5)), reply(1, 2, None, "a", known_at=at(6))],
        "possibly",
    ),
    (
        "unfitting and known, unfitting and unknown",
        TREE,
        [
            item(1, "a", 1, answers_since=at(5)),
            item(2, "b", 1, answers_since=at(7)),
            reply(1, 2, known_at=at(6)),
            reply(2, 3),
        ],
        "possibly waits",
    ),
    (
        "later on the platform",
        TREE,
        [item(1, "a", 1, answers_since=at(5)), reply(1, 2, "i1"), reply(2, 6, "i1")],
        "exact",
    ),
    (
        "sent counts by our clock",
        TREE,
        [
            item(1, "a", 1, answers_since=at(5)),
            item(2, "b", 1, answers_since=at(5)),
            reply(1, 4, "i1", sent_for=1, known_at=at(6)),
            reply(2, 4, "i2", sent_for=2),
        ],
        "sent waits",
    ),
    ("native from before", TREE, [item(1, "a", 1, native_at=at(2), answers_since=at(5))], "waits"),
    ("native afterwards", TREE, [item(1, "a", 1, native_at=at(6), answers_since=at(5))], "native"),
    (
        "same author, before and after",
        TREE,
        [
            item(1, "a", 1, answers_since=at(5)),
            item(2, "a", 2),
            reply(1, 4, "i2"),
            reply(2, 6, "i2"),
        ],
        "same_author exact",
    ),
    (
        "another's reopening changes nothing for adjacent",
        FLAT,
        [item(1, "a", 1, answers_since=at(9)), reply(1, 2), item(2, "b", 3), reply(2, 4)],
        "waits adjacent",
    ),
    (
        "in the very moment of the reopening",
        TREE,
        [
            item(1, "a", 1, answers_since=at(5)),
            item(2, "b", 1, answers_since=at(5), native_at=at(5)),
            reply(1, 5, "i1"),
        ],
        "waits waits",
    ),
    (
        "in the very moment, and fitting nobody",
        TREE,
        [item(1, "a", 1, answers_since=at(5)), reply(1, 2, known_at=at(5))],
        "waits",
    ),
    (
        "sent, confirmed in the very moment",
        TREE,
        [item(1, "a", 1, answers_since=at(5)), reply(1, 4, "i1", sent_for=1, known_at=at(5))],
        "waits",
    ),
    (
        "of several from before the last one that became known counts",
        TREE,
        [item(1, "a", 1, answers_since=at(5)), *(reply(n, n, known_at=at(n * n)) for n in (2, 3))],
        "possibly",
    ),
    (
        "each looked at, not every second one",
        TREE,
        [
            item(1, "a", 1, answers_since=at(5)),
            reply(1, 2),
            reply(2, 3),
            reply(3, 4, known_at=at(9)),
        ],
        "possibly",
    ),
    (
        "one from before the item says nothing, whenever it became known",
        TREE,
        [item(1, "a", 3, answers_since=at(6)), reply(1, 2, known_at=at(9)), reply(2, 5)],
        "waits",
    ),
    (
        "a second part written in the item's own moment",
        TREE,
        [item(1, "a", 5), reply(1, 6, "i1", visibility="direct"), reply(2, 5, "r1", "a")],
        "possibly",
    ),
    (
        "unlisted, in public and unlisted",
        TREE,
        [
            item(1, "a", 1, visibility="unlisted"),
            item(2, "b", 1, visibility="unlisted"),
            item(3, "c", 1, visibility="followers"),
            reply(1, 2, "i1"),
            reply(2, 2, "i2", visibility="unlisted"),
            reply(3, 2, "i3", visibility="unlisted"),
        ],
        "exact exact exact",
    ),
    (
        "unlisted and to followers by name",
        TREE,
        [
            item(1, "a", 1, visibility="unlisted"),
            item(2, "b", 1, visibility="followers"),
            reply(1, 2, None, "a", "b", visibility="unlisted"),
        ],
        "mention mention",
    ),
]
