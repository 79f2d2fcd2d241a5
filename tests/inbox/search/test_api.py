"""The search box over HTTP: what is found, what is refused and where, and hostile input."""

from __future__ import annotations

from typing import Any

from tests.inbox.test_api import problem
from tests.service import NOON
from tests.world import HOUR, Watched


async def ids(watched: Watched, **query: Any) -> list[str]:
    """What is found, by the ids on the platform, over all pages of one."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        more = {} if cursor is None else {"cursor": cursor}
        answered = await watched.api.get("/api/v1/items", params={**query, **more, "limit": 1})
        assert answered.status_code == 200, answered.text
        found += [each["text"] for each in answered.json()["items"]]
        cursor = answered.json()["next_cursor"]
        if cursor is None:
            return found


BACK, BLUE, US = "When will it be back?", "And the blue one?", "Between us …"
CASES: list[tuple[dict[str, str], list[str]]] = [
    ({"q": "back"}, [BACK]),
    ({"q": "back OR blue"}, [BACK, BLUE]),
    ({"q": "order:newest back OR blue"}, [BLUE, BACK]),
    ({"q": "has:question"}, [BACK, BLUE]),
    ({"q": "-has:question"}, [US]),
    ({"q": "is:unanswered"}, [BACK, BLUE, US]),
    ({"q": "is:replied"}, []),
    ({"q": "-is:unanswered"}, []),
    ({"q": "is:any"}, [BACK, BLUE, US]),
    ({"q": "is:unanswered", "status": "replied"}, []),
    ({"q": "is:direct"}, [US]),
    ({"q": "-is:direct blue"}, [BLUE]),
    ({"q": "is:snoozed"}, []),
    ({"q": "-is:snoozed -is:backlog blue"}, [BLUE]),
    ({"q": "is:snoozed", "snoozed": "exclude"}, []),
    ({"q": "is:thanks"}, []),
    ({"q": "-is:thanks blue"}, [BLUE]),
    ({"q": "older:150m"}, [BACK]),
    ({"q": "newer:150m"}, [BLUE, US]),
    ({"q": "older:90m newer:150m"}, [BLUE]),
    ({"q": "older:90m", "younger_than": "PT150M"}, [BLUE]),
    ({"q": "after:2000-01-01 before:2000-01-02"}, []),
    ({"q": "source:1 back"}, [BACK]),
    ({"q": "-source:1"}, []),
    ({"q": "-platform:bluesky,mastodon blue"}, [BLUE]),
    ({"q": "platform:bluesky"}, []),
    ({"q": "platform:bluesky", "platform": "mastodon"}, []),
    ({"q": "kind:review,praise"}, []),
    ({"q": "-kind:review blue"}, [BLUE]),
    ({"q": "is:overdue"}, []),
    ({"q": "label:press"}, []),
    ({"q": "-label:Press blue"}, [BLUE]),
    ({"q": "order:due"}, [BACK, BLUE, US]),
    ({"q": "order:value blue"}, [BLUE]),
    ({"q": "assignee:none blue"}, [BLUE]),
    ({"q": "is:assigned"}, []),
    ({"q": "-is:overdue -is:claimed -is:held blue"}, [BLUE]),
]


async def test_words_and_filters_narrow_the_list(watched: Watched) -> None:
    for query, expected in CASES:
        assert await ids(watched, **query) == expected, query


async def test_words_are_found_in_the_orders_by_rank_too(watched: Watched) -> None:
    """Page by page, in the order given or in the one of the box."""
    watched.world.insert("mentions", NOON, "The blue back?")
    watched.clock.move(HOUR)
    await watched.poll()
    press = {
        "action": "label",
        "ids": [(await watched.item(2))["id"]],
        "params": {"add": ["press"]},
    }
    assert (await watched.api.post("/api/v1/items/bulk", json=press)).status_code == 200
    for policy in (
        {"name": "all", "target": "PT9H"},
        {"name": "soon", "target": "PT1H", "label": "press"},
    ):
        assert (await watched.api.post("/api/v1/policies", json=policy)).status_code == 201
    for order in ("due", "value"):
        whole = [each["text"] for each in await watched.service.items(order=order)]
        wanted = [text for text in whole if "back" in text or "blue" in text]
        assert len(wanted) == 3
        assert await ids(watched, q="back OR blue", order=order) == wanted, order
        assert await ids(watched, q=f"back OR blue order:{order}") == wanted, order
    assert wanted != await ids(watched, q="back OR blue")


REFUSED = {
    "plattform:x": ("unknown_key", 0, 9),
    "back is:repplied": ("bad_value", 8, 8),
    "platform:mastodn": ("bad_value", 9, 7),
    "source:nowhere": ("bad_value", 7, 7),
    "source:99999999999999999999999": ("bad_value", 7, 23),
    "kind:x": ("bad_value", 5, 1),
    "has:x": ("bad_value", 4, 1),
    "language:d_e": ("bad_value", 9, 3),
    "author:@": ("bad_value", 7, 1),
    "older:4": ("bad_value", 6, 1),
    "older:4x": ("bad_value", 6, 2),
    "older:\u0664h": ("bad_value", 6, 2),
    "older:999999w": ("bad_value", 6, 7),
    "older:1h,2h": ("one_value", 0, 11),
    "-older:1h": ("not_negatable", 0, 9),
    "before:2026-02-30": ("bad_value", 7, 10),
    "before:yesterday": ("bad_value", 7, 9),
    "order:best": ("bad_value", 6, 4),
    "label:a,b": ("one_value", 0, 9),
    "is:replied,held": ("one_value", 0, 15),
    "a*": ("short_beginning", 0, 2),
    "assignee:nobody-of-us": ("bad_value", 9, 12),
    "-assignee:none": ("not_negatable", 0, 14),
    '"back': ("unclosed_quote", 0, 5),
    "!!!": ("nothing_to_find", 0, 3),
}


async def test_what_is_wrong_is_pointed_at(watched: Watched) -> None:
    for q, (code, offset, length) in REFUSED.items():
        answered = await watched.api.get("/api/v1/items", params={"q": q})
        (error,) = problem(answered, 422, "invalid-request")["errors"]
        found = (error["pointer"], error["code"], error["offset"], error["length"])
        assert found == ("?q", code, offset, length), (q, error)
        assert error["detail"].endswith((".", "?", '".')), error
    answered = await watched.api.get(
        "/api/v1/items", params={"q": "order:newest", "order": "oldest"}
    )
    assert problem(answered, 422, "invalid-request")["errors"][0]["code"] == "contradiction"


HOSTILE = [
    "x" * 10_000,
    "word " * 1000,
    "(" * 900 + "a" + ")" * 99,
    '"' * 999,
    '"' * 1000,
    "-" * 1000,
    "*" * 1000,
    ":" * 1000,
    "a:" * 500,
    "NEAR(a b, 5) {words}: ^x + y AND OR NOT",
    "words:x' OR 1=1 --",
    "'a' & !'b' <-> c:* \\",
    "a\x00b",
    "\x00",
    "\u202eabc\u202c \u200f\u200e x",
    "😀" * 1000,
    "東" * 1000,
    "\u0301" * 500 + "a",
    "a" + "\u0301" * 900,
    "ﷺ" * 1000,
    "%00%ff",
    "' \" \\ ; DROP TABLE item",
    "ab* " * 50,
    "-ab* " * 50,
    " OR ".join(["ab"] * 50),
]


async def test_hostile_queries_are_answered_or_refused(watched: Watched) -> None:
    for q in HOSTILE:
        answered = await watched.api.get("/api/v1/items", params={"q": q})
        assert answered.status_code in {200, 422}, (q, answered.text)
    raw = await watched.api.get("/api/v1/items?q=%ed%a0%80")
    assert raw.status_code in {200, 422}


async def test_a_search_tells_what_it_has_not_read(watched: Watched) -> None:
    page = (await watched.api.get("/api/v1/items", params={"q": "back"})).json()
    assert page["search"] == {"complete": True, "waiting": 0}
    assert (await watched.api.get("/api/v1/items")).json()["search"] is None
    only = (await watched.api.get("/api/v1/items", params={"q": "is:unanswered"})).json()
    assert only["search"] is None


async def test_a_cursor_belongs_to_its_query(watched: Watched) -> None:
    url = "/api/v1/items?limit=1&q=has:question"
    cursor = (await watched.api.get(url)).json()["next_cursor"]
    assert cursor
    other = await watched.api.get(f"/api/v1/items?limit=1&q=blue&cursor={cursor}")
    problem(other, 422, "invalid-request")
