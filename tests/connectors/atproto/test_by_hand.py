"""Recorded answers of the real Bluesky, each message read by hand with its times.

With the seventeen answers of the reference server's own tests in `test_recorded.py` (which have no
times: all are 1970 there) these are twenty.
"""

from __future__ import annotations

from typing import Any

import pytest

from app.connectors.atproto import entities
from app.connectors.base import Kind
from app.connectors.text import parse_time
from tests.connectors.atproto.test_recorded import NOTIFIED, THREADS
from tests.recorded import load, recordings

US = "did:plc:5c2r73erhng4bszmxlfdtscf"
SITE = "did:plc:lprqqpoyjspuma25n5gofocf"
ORGANIZERS = "did:plc:zdd4yxyclksq2sem6jqxsfu2"
OURS = "3kexwuoyqj32g"  # our post that thirteen of them answer

# [answer]; then a line a message: key, author, key of the parent, claimed time, indexed time, kind
TABLE = f"""
[bskyr:n_notifications#0]
3lmicbemya22g {SITE} 3lmib4yep2k2g 2025-04-10T20:01:53.909Z 2025-04-10T20:01:53.909Z mention
3lktjjvxvdk2g did:plc:wpe35pganb6d4pg4ekmfy6u5 - 2025-03-20T20:20:50.590Z - mention
3livj2tl2su2v {ORGANIZERS} - 2025-02-24T04:27:20.710330Z 2025-02-24T04:27:20.710Z mention
3lium35jvqr2c {ORGANIZERS} - 2025-02-23T19:48:32.833255Z 2025-02-23T19:48:32.833Z mention
3liulqwmk4a2h {ORGANIZERS} {OURS} 2025-02-23T19:42:49.868768Z 2025-02-23T19:42:49.868Z reply
3liulqvn6zq2y {ORGANIZERS} {OURS} 2025-02-23T19:42:48.731631Z 2025-02-23T19:42:48.731Z reply
3liulqutwkj2c {ORGANIZERS} {OURS} 2025-02-23T19:42:47.881202Z 2025-02-23T19:42:47.881Z reply
3liulqtnba22s {ORGANIZERS} {OURS} 2025-02-23T19:42:46.644186Z 2025-02-23T19:42:46.644Z reply
3liulqsuo2q2f {ORGANIZERS} {OURS} 2025-02-23T19:42:45.921539Z 2025-02-23T19:42:45.921Z reply
3liulkbdxcg2j {ORGANIZERS} {OURS} 2025-02-23T19:39:05.975440Z 2025-02-23T19:39:05.975Z reply
3liulkahzgu2s {ORGANIZERS} {OURS} 2025-02-23T19:39:05.350800Z 2025-02-23T19:39:05.350Z reply
3liulk7mfsg2f {ORGANIZERS} {OURS} 2025-02-23T19:39:04.311726Z 2025-02-23T19:39:04.311Z reply
3liulk6uqmv2v {ORGANIZERS} {OURS} 2025-02-23T19:39:03.137686Z 2025-02-23T19:39:03.137Z reply
3liulk5opf22s {ORGANIZERS} {OURS} 2025-02-23T19:39:02.165285Z 2025-02-23T19:39:02.165Z reply
3liulk445zl2d {ORGANIZERS} {OURS} 2025-02-23T19:39:00.644784Z 2025-02-23T19:39:00.644Z reply
3liulk3b4ps2r {ORGANIZERS} {OURS} 2025-02-23T19:38:59.740397Z 2025-02-23T19:38:59.740Z reply
3liulk2isl32s {ORGANIZERS} {OURS} 2025-02-23T19:38:59.080874Z 2025-02-23T19:38:59.080Z reply
3lffbrjglpc2u did:plc:dvdagn45jd7yybrbsh3ygs5l - 2025-01-10T13:18:41.465Z - mention
[bskyr:f_getposts#0]
3k7qmjev5lr2s did:plc:ic6zqvuw5ulmfpjiwnhsr2ns - 2023-09-19T11:32:54.574Z - mention
[bskyr:f_getquotes#0]
3lc6isqcp6u2y did:plc:3ixxligsafp4u6ghljcoetnm - 2024-11-30T16:20:25.023354Z - mention
3lc5d6zspys2c did:plc:wpe35pganb6d4pg4ekmfy6u5 - 2024-11-30T05:07:15.799Z - mention
"""


def blocks() -> dict[str, list[list[str]]]:
    """The table by its answers: the words of each line."""
    found: dict[str, list[list[str]]] = {}
    for part in TABLE.strip().removeprefix("[").split("\n["):
        head, *lines = part.splitlines()
        found[head.removesuffix("]")] = [line.split() for line in lines]
    return found


BLOCKS = blocks()


def test_twenty_answers_were_read_by_hand() -> None:
    assert len(BLOCKS) + len(NOTIFIED) + len(THREADS) >= 20


@recordings
@pytest.mark.parametrize("key", BLOCKS)
def test_a_recorded_answer_of_the_real_platform_brings_what_was_read_in_it(key: str) -> None:
    body: Any = next(each for each in load("bluesky") if each.key == key).json()
    listed = body.get("notifications") or body["posts"]
    parse: Any = entities.parse_notification if "notifications" in body else entities.parse_post
    read = entities.parse_entries(listed, US, parse)
    assert read.unparsed == ()
    assert len(read.mentions) + sum(read.skipped.values()) == len(listed)
    posts = [each for each in read.mentions if each.kind is not Kind.FOLLOW]
    assert len(posts) == len(BLOCKS[key])
    for post, (place, author, parent, claimed, indexed, kind) in zip(
        posts, BLOCKS[key], strict=True
    ):
        above = (post.parent_external_id or "-").rpartition("/")[2]
        found = (post.external_id.rpartition("/")[2], post.author.external_id, above, post.kind)
        assert found == (place, author, parent, kind)
        assert post.occurred_at == parse_time(claimed)
        assert post.author.external_id != US
        if indexed != "-":
            assert post.raw is not None
            assert parse_time(post.raw["indexedAt"]) == parse_time(indexed)
