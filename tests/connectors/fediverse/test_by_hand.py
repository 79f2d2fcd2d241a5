"""Recorded answers of Mastodon servers, each message read by hand with all that counts."""

from __future__ import annotations

from typing import Any

import pytest

from app.connectors.fediverse import entities
from app.connectors.text import parse_time
from tests.connectors.fediverse.test_recorded import listed
from tests.recorded import load, recordings

# [answer] us; then a line a message: id, author, parent, time, kind, ours or theirs
TABLE = """
[bigbone:notifications.json#0] 14715
103186126728896492 971724 103186038209478945 2019-11-23T07:49:01.940Z reply theirs
[cassettes:test_notifications_exclude_and_types#3] 117440810532227399
117440822530685117 117440810233042393 - 2026-10-14T19:05:38.324Z mention theirs
[cassettes:test_notifications_types#2] 117440810532227399
117440822311404761 117440810233042393 - 2026-10-14T19:05:34.979Z mention theirs
[bigbone:context.json#0] 28497
6884492 28497 - 2017-05-03T02:23:54.000Z mention ours
6884692 3361 6884492 2017-05-03T02:24:42.799Z reply theirs
6886129 3361 6886100 2017-05-03T02:30:39.989Z reply theirs
[cassettes_entity_tests:test_entity_context#0] 43
110446983178245440 43 - 2023-05-28T15:20:18.907Z mention ours
110446984249325790 43 110446983926957470 2023-05-28T15:20:35.248Z reply ours
[rtoot:get_context_with_ancesters#0] 109302436954721982
114026814291152535 109302436954721982 - 2025-02-18T20:38:26.738Z mention ours
[bigbone:status.json#0] 14476
11111 14476 - 2017-04-14T06:11:41.893Z mention ours
[bigbone:status_with_poll.json#0] 1
11111 14476 - 2017-04-14T06:11:41.893Z mention theirs
[bigbone:status_with_previewcard.json#0] 1
111337272989523541 110643428313746763 - 2023-11-01T20:52:43.341Z mention theirs
[cassettes:test_status_card#1] 117440810532227399
117440852049121722 117440810532227399 - 2026-10-14T19:13:08.738Z mention ours
[cassettes_entity_tests:test_entity_quoteapproval#0] 23972
110446223051565765 23972 - 2023-05-28T12:06:50.000Z mention ours
[cassettes_entity_tests:test_entity_status#1] 43
110446183735368325 43 - 2023-05-28T11:57:00.378Z mention ours
[rtoot:get_status_default#0] 109269678296046700
114620457512351116 109302436954721982 - 2025-06-03T16:49:43.431Z mention theirs
[cassettes:test_fetch_next_previous#11] 117440810532227399
117440825015062295 117440810532227399 - 2026-10-14T19:06:16.231Z mention ours
117440825009782565 117440810532227399 - 2026-10-14T19:06:16.150Z mention ours
117440825005051516 117440810532227399 - 2026-10-14T19:06:16.079Z mention ours
117440825000467518 117440810532227399 - 2026-10-14T19:06:16.009Z mention ours
117440824995689268 117440810532227399 - 2026-10-14T19:06:15.936Z mention ours
[rtoot:get_account_bookmarks_default#0] 110933492719362385
113347064048858843 109275192003234679 113346983802471255 2024-10-21T19:29:01.175Z reply theirs
113086666078279943 109896632708737771 - 2024-09-05T19:46:23.468Z mention theirs
113064538953612745 109257894338742608 - 2024-09-01T21:59:10.341Z mention theirs
[rtoot:get_account_favourites_default#0] 109302436954721982
114620547872925392 109235210338204021 114620457512351116 2025-06-03T17:12:42.222Z reply theirs
114273878244544394 109681126025575096 - 2025-04-03T11:50:01.000Z mention theirs
114066052939126750 110933492719362385 - 2025-02-25T18:57:20.991Z mention theirs
[rtoot:get_timeline_list_default#0] 109290786298388981
112484057205414223 109290786298388981 - 2024-05-22T09:35:01.792Z mention ours
112483321320234937 109290786298388981 112483316668274156 2024-05-22T06:27:53.073Z reply ours
112483316668274156 109290786298388981 - 2024-05-22T06:26:42.093Z mention ours
111006900179541067 109290786298388981 - 2023-09-04T12:34:34.325Z mention ours
[tootsdk:post wordle linebreaks.json#0] APEilAvuVZZU5LVFCa
AQgIdalRCRfsNV6KzA AQgIJ44Z2JZzCBG8Yq - 2022-12-17T00:44:07.000Z mention theirs
[cassettes:test_status_post[Content warning-private]#0] 117440810532227399
117440831275440786 117440810532227399 - 2026-10-14T19:07:51.757Z mention ours
[cassettes:test_notifications_exclude_and_types#1] 117440810532227399
[cassettes:test_follow_with_notify_reblog#5] 117440810532227399
"""


def blocks() -> dict[str, tuple[str, list[str]]]:
    """The table by its answers: us, and the lines of their messages."""
    found: dict[str, tuple[str, list[str]]] = {}
    for part in TABLE.strip().removeprefix("[").split("\n["):
        head, *lines = part.splitlines()
        key, _, us = head.rpartition("] ")
        found[key] = (us, lines)
    return found


BLOCKS = blocks()


def test_the_table_holds_twenty_answers() -> None:
    assert len(BLOCKS) >= 20


@recordings
@pytest.mark.parametrize("key", BLOCKS)
def test_a_recorded_answer_brings_what_was_read_in_it(key: str) -> None:
    us, lines = BLOCKS[key]
    exchange = next(each for each in load("mastodon") if each.key == key)
    body = listed(exchange.json())
    parse: Any = (
        entities.parse_notification if body and "type" in body[0] else entities.parse_status
    )
    viewer = entities.Viewer(us, "recorded.example")
    read = entities.parse_entries(body, viewer, parse, what="recorded")
    assert read.unparsed == ()
    assert len(read.mentions) + sum(read.skipped.values()) == len(body)
    found = [
        (
            each.external_id,
            each.author.external_id,
            each.parent_external_id or "-",
            each.occurred_at,
            each.kind.value,
            "ours" if each.author.external_id == us else "theirs",
        )
        for each in read.mentions
    ]
    wanted = [line.split() for line in lines]
    assert found == [(a, b, c, parse_time(at), kind, whose) for a, b, c, at, kind, whose in wanted]
