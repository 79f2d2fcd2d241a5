"""Recorded answers of Reddit, against what was read in them by hand.

They are of 2016-2026 and all of the version that the connector speaks. Those from before 2018 tell
no account (`author_fullname`), those from before 2020 no `type`; `<USERNAME>` is whoever recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from app.connectors.answers import Answer
from app.connectors.asking import RateLimit
from app.connectors.base import Filed, Page, Visibility
from app.connectors.failures import AuthFailed, BadResponse, Gone, PermissionMissing
from app.connectors.limits import rate_limit
from app.connectors.reddit import account, people, refusals, things, trees
from app.connectors.reddit.things import Around
from tests.recorded import Exchange, load, objects, recordings

NOW = datetime(2026, 10, 1, tzinfo=UTC)
BOT, ME, OLD_ME = "t2_3ebyblla", "t2_o77bz", "name:<username>"
INBOX, COMMENT = "praw:TestInbox.", "praw:TestComment."
FOREST = "praw:TestCommentForest.test_replace__all"

Row = tuple[str, str, str | None, str, str]
# By hand, from the answers: who we are in it, how many messages it has, how many are deleted, and
# (id, author, parent, time, kind) of those; of long lists the first two and the last.
BY_HAND: dict[str, tuple[str, int, int, list[Row]]] = {
    COMMENT + "test_attributes#1": ("", 1, 0, [
        ("t1_cklhv0f", "t2_3pz6e", "t1_cklfmye", "2014-09-18T03:13:54", "comment")]),
    COMMENT + "test_delete#2": ("", 0, 1, []),
    COMMENT + "test_mark_unread#1": (ME, 1, 0, [
        ("t1_fx1bybl", "name:lil_spazjoekp", "t1_fwxxs5d", "2020-07-05T21:30:52", "reply")]),
    COMMENT + "test_notes#1": ("t2_75u2lqkb", 1, 0, [
        ("t1_i6yklz7", "t2_75u2lqkb", "t3_uflrmv", "2022-05-01T22:37:21", "comment")]),
    COMMENT + "test_parent__comment#2": ("", 3, 0, [
        ("t3_2gmzqe", "name:bboe", None, "2014-09-17T06:34:31", "mention"),
        ("t1_cklfmye", "name:paneer_burrito", "t3_2gmzqe", "2014-09-18T01:51:52", "comment"),
        ("t1_cklhv0f", "name:bboe", "t1_cklfmye", "2014-09-18T03:13:54", "comment")]),
    COMMENT + "test_parent__from_replies#1": (OLD_ME, 100, 0, [
        ("t1_deffs4v", "name:pythonprawtester", "t1_deei5aq", "2017-03-02T20:32:51", "reply"),
        ("t1_defd6f0", "name:pythonprawtester", "t1_deei5aq", "2017-03-02T19:46:37", "reply"),
        ("t1_ccf8hix", OLD_ME, "t1_ccedzqa", "2013-09-25T17:58:54", "reply")]),
    COMMENT + "test_refresh__removed_comment#1": ("", 0, 1, []),
    COMMENT + "test_refresh__removed_comment#2": ("", 4, 0, [
        ("t3_hlrjn9", "t2_3c64tiys", None, "2020-07-05T18:31:49", "mention"),
        ("t1_fx103wp", "t2_yspg5", "t3_hlrjn9", "2020-07-05T19:44:40", "comment"),
        ("t1_fx12frc", "t2_ifkewgj", "t1_fx103wp", "2020-07-05T20:05:27", "comment"),
        ("t1_fx1bag2", "t2_6vm9h", "t1_fx12frc", "2020-07-05T21:25:01", "comment")]),
    COMMENT + "test_refresh__with_reply_sort_and_limit#2": ("t2_51pf6", 5, 0, [
        ("t3_98vj9e", "t2_3jo4g", None, "2018-08-20T17:21:30", "mention"),
        ("t1_e4j4830", "t2_51pf6", "t3_98vj9e", "2018-08-20T18:24:26", "comment"),
        ("t1_e7q58bn", "t2_3gl7f", "t1_e4j4830", "2018-10-14T01:58:55", "comment"),
        ("t1_e4uaa59", "t2_3x4w5", "t1_e4j4830", "2018-08-26T01:40:42", "comment"),
        ("t1_e4uhrr8", "t2_51pf6", "t1_e4uaa59", "2018-08-26T04:00:46", "comment")]),
    FOREST + "#4": ("", 2, 1, [
        ("t3_3hahrw", "t2_oh64a", None, "2015-08-17T07:44:40", "mention"),
        ("t1_cu6236a", "t2_6twfb", "t1_cu61tk1", "2015-08-17T17:17:27", "comment")]),
    FOREST + "_large#4": ("", 2, 1, [
        ("t1_c365wmk", "t2_3qgsh", "t1_c365sgb", "2011-12-08T05:12:54", "comment"),
        ("t1_c36651w", "t2_2dfy8", "t1_c365sgb", "2011-12-08T05:39:40", "comment")]),
    INBOX + "test_comment_replies#1": (ME, 64, 0, [
        ("t1_mynqwvd", BOT, "t1_myngt77", "2025-06-19T16:46:59", "reply"),
        ("t1_mynqw2i", BOT, "t1_myngt77", "2025-06-19T16:46:52", "reply"),
        ("t1_mynm218", BOT, "t1_myngt77", "2025-06-19T16:23:24", "reply")]),
    INBOX + "test_mark_all_read#1": (ME, 2, 0, [
        ("t4_30s40u5", ME, "t4_30ryob3", "2025-06-19T17:28:32", "direct_message"),
        ("t4_30ryob3", "subreddit:<username>", None, "2025-06-19T17:14:25", "direct_message")]),
    INBOX + "test_mark_unread#1": (ME, 10, 0, [
        ("t4_30s40u5", ME, "t4_30ryob3", "2025-06-19T17:28:32", "direct_message"),
        ("t4_30ryob3", "subreddit:<username>", None, "2025-06-19T17:14:25", "direct_message"),
        ("t1_mynqt16", BOT, "t1_myngt77", "2025-06-19T16:46:27", "reply")]),
    INBOX + "test_mark_read#1": (ME, 10, 0, [
        ("t1_mynkj7r", BOT, "t3_1j7g9uj", "2025-06-19T16:15:59", "comment"),
        ("t1_mynkie0", BOT, "t3_1j7g9uj", "2025-06-19T16:15:52", "comment"),
        ("t1_mynkbup", BOT, "t3_1j7g9uj", "2025-06-19T16:14:59", "comment")]),
    INBOX + "test_mentions#1": (BOT, 16, 0, [
        ("t1_ekftbox", "t2_3efd9zdo", "t3_bb24k7", "2019-04-09T01:45:08", "mention"),
        ("t1_ekftage", "t2_3efd9zdo", "t3_bb24fw", "2019-04-09T01:44:45", "mention"),
        ("t1_ekfncs9", "t2_3efd9zdo", "t3_bb1gd5", "2019-04-09T00:37:28", "mention")]),
    INBOX + "test_mention__refresh#2": (BOT, 2, 0, [
        ("t3_bb24k7", "t2_3efd9zdo", None, "2019-04-09T01:45:04", "mention"),
        ("t1_ekftbox", "t2_3efd9zdo", "t3_bb24k7", "2019-04-09T01:45:08", "comment")]),
    INBOX + "test_message#1": (BOT, 3, 0, [
        ("t4_30ru7t9", "t2_75u2lqkb", None, "2025-06-19T17:02:43", "direct_message"),
        ("t4_30rugdg", BOT, "t4_30ru7t9", "2025-06-19T17:03:20", "direct_message"),
        ("t4_30rw8tw", "t2_75u2lqkb", "t4_30rugdg", "2025-06-19T17:08:01", "direct_message")]),
    INBOX + "test_sent#1": (BOT, 64, 0, [
        ("t4_22ydkji", BOT, "t4_22ydk2c", "2023-12-23T19:18:47", "direct_message"),
        ("t4_22ydimz", BOT, "t4_22ydha7", "2023-12-23T19:16:42", "direct_message"),
        ("t4_1aon88a", BOT, "t4_1aon881", "2022-02-08T00:40:03", "direct_message")]),
    COMMENT + "test_block#1": (OLD_ME, 100, 0, [
        ("t1_cx9lw9x", "name:pyapitestuser3", "t3_3tvngf", "2015-11-23T00:51:46", "comment"),
        ("t1_cvgglbp", "name:13steinj", "t3_3f91md", "2015-09-28T02:02:09", "comment"),
        ("t1_ce96k4e", OLD_ME, "t3_1tlpaq", "2013-12-24T12:10:47", "comment")]),
    "praw:TestMessage.test_parent__from_inbox_listing#2": (ME, 3, 0, [
        ("t4_1elxd0b", ME, None, "2022-06-12T17:31:57", "direct_message"),
        ("t4_1elxd5e", "t2_75u2lqkb", "t4_1elxd0b", "2022-06-12T17:32:16", "direct_message"),
        ("t4_1elxdlc", ME, "t4_1elxd5e", "2022-06-12T17:33:10", "direct_message")]),
    "praw:TestRedditor.test_stream__comments#3": ("t2_6l4z3", 1, 0, [
        ("t1_fx29vwe", "t2_6l4z3", "t3_hlzs81", "2020-07-06T03:02:31", "comment")]),
    "praw:TestSubreddit.test_search#1": ("", 6, 0, [
        ("t3_3gpbiu", "name:dclauzel", None, "2015-08-12T09:08:34", "mention"),
        ("t3_3x4kt2", "name:grinningmouth38", None, "2015-12-16T21:03:06", "mention"),
        ("t3_4at068", "name:nmtake", None, "2016-03-17T13:33:54", "mention")]),
    "praw:TestSubredditStreams.test_comments__with_pause#1": ("", 16, 0, [
        ("t1_dgauydy", "name:butt_woman", "t1_dg7dqfd", "2017-04-15T16:48:28", "comment"),
        ("t1_dg8ievl", "name:3string", "t1_dg7dqfd", "2017-04-14T00:50:11", "comment"),
        ("t1_cg7r41r", "name:wenom", "t3_20xbzi", "2014-03-20T21:53:38", "comment")]),
    "praw:TestSubredditStreams.test_submissions#2": ("", 7, 0, [
        ("t3_kzj68x", "t2_kayi9ce", None, "2021-01-18T00:44:30", "mention"),
        ("t3_kzj68v", "t2_55afcdi3", None, "2021-01-18T00:44:30", "mention"),
        ("t3_kzj68k", "t2_6c3oz010", None, "2021-01-18T00:44:30", "mention")]),
    "praw:TestUser.test_pin#14": ("t2_3f0r70yc", 4, 0, [
        ("t3_qxzsno", "t2_3f0r70yc", None, "2021-11-20T06:39:48", "mention"),
        ("t3_qxzsnm", "t2_3f0r70yc", None, "2021-11-20T06:39:48", "mention"),
        ("t3_qxzsng", "t2_3f0r70yc", None, "2021-11-20T06:39:47", "mention"),
        ("t3_qxzsnc", "t2_3f0r70yc", None, "2021-11-20T06:39:47", "mention")]),
}  # fmt: skip
OURS = {
    COMMENT + "test_notes#1": {"t1_i6yklz7"},
    COMMENT + "test_refresh__with_reply_sort_and_limit#2": {"t1_e4j4830", "t1_e4uhrr8"},
    INBOX + "test_mark_all_read#1": {"t4_30s40u5"},
    INBOX + "test_mark_unread#1": {"t4_30s40u5"},
    INBOX + "test_message#1": {"t4_30rugdg"},
    "praw:TestMessage.test_parent__from_inbox_listing#2": {"t4_1elxd0b", "t4_1elxdlc"},
    "praw:TestRedditor.test_stream__comments#3": {"t1_fx29vwe"},
    "praw:TestUser.test_pin#14": {"t3_qxzsno", "t3_qxzsnm", "t3_qxzsng", "t3_qxzsnc"},
}
"""Which of them are ours, of the answers of which every message stands above."""
WRITING = ("POST", "PUT", "DELETE", "PATCH")
NOT_READ = {
    "/api/": "what is set, allowed or listed for other purposes",
    "/prefs/": "settings of the account",
    "/r/": "how a subreddit is set up, and who may do what there",
    "/user/": "trophies, subreddits and gifts of a user, or lists that were refused",
    "/live/": "live threads, which nobody writes to us in",
    "/message/": "a message that was refused, or an inbox without anything new",
    "/wiki/": "pages of a wiki", "/subreddits": "lists of subreddits", "/users": "lists of users",
    "/collections": "collections of posts", "/s/": "short links of the web site",
    "/t/": "no page of the API",
    "oauth.reddit.com/?raw_json": "the front page, refused",
}  # fmt: skip


def rows_of(exchange: Exchange) -> list[Any]:
    """The entries of an answer in one of the shapes that the connector asks for."""
    body = exchange.json()
    if isinstance(body, list) and len(body) > 1 and "kind" in (body[0] or {}):
        posts, comments = trees.rows_of(body)
        return [*posts, *comments]
    if isinstance(body, dict) and isinstance((body.get("json") or {}).get("data"), dict):
        return trees.rows_of_more(body) if "things" in body["json"]["data"] else []
    if isinstance(body, dict) and body.get("kind") == "Listing":
        return list(things.flattened(things.children_of(body)))
    return []


def read(exchange: Exchange, around: Around = Around()) -> Page:  # noqa: B008  # it is frozen
    return things.parse_things(trees.Part([], rows_of(exchange), trees.Waiting()).comments, around)


def things_in(exchange: Exchange) -> list[dict[str, Any]]:
    """Every thing anywhere in an answer, told by its name."""
    return [
        one["data"]
        for one in objects(exchange.json())
        if one.get("kind") in things.KEPT and isinstance(one.get("data"), dict)
    ]


def with_things() -> Iterator[Exchange]:
    yield from (one for one in load("reddit") if things_in(one))


@recordings
@pytest.mark.parametrize("key", BY_HAND)
def test_recorded_answers_bring_what_was_read_in_them_by_hand(key: str) -> None:
    us, count, gone, wanted = BY_HAND[key]
    page = read(next(one for one in load("reddit") if one.key == key))
    assert (len(page.mentions), len(page.gone), page.unparsed) == (count, gone, ())
    found = [
        (
            one.external_id,
            one.author.external_id,
            one.parent_external_id,
            f"{one.occurred_at:%Y-%m-%dT%H:%M:%S}",
            one.kind.value,
        )
        for one in page.mentions
    ]
    assert (found if len(found) == len(wanted) else [*found[:2], found[-1]]) == wanted
    ours = {one.external_id for one in page.mentions if one.author.external_id == us}
    if count == len(wanted):
        assert ours == OURS.get(key, set())


@recordings
def test_every_recorded_message_is_read_and_none_of_them_is_lost() -> None:
    answers = messages = deleted = 0
    for exchange in with_things():
        page = read(exchange)
        told = [one["name"] for one in things_in(exchange)]
        assert page.unparsed == (), exchange.key
        found = [*(one.external_id for one in page.mentions), *page.gone]
        assert sorted(found) == sorted(told), exchange.key
        assert all(one.occurred_at and one.author.external_id for one in page.mentions)
        answers, messages, deleted = answers + 1, messages + len(told), deleted + len(page.gone)
    assert (answers, messages, deleted) == (118, 1251, 23)


@recordings
def test_all_other_recorded_answers_are_named_with_the_reason() -> None:
    for exchange in load("reddit"):
        if things_in(exchange) or exchange.method in WRITING:
            continue
        path = (exchange.url or "").removeprefix("https://oauth.reddit.com")
        named = any(part in path or part in (exchange.url or "") for part in NOT_READ)
        assert named, exchange.url


@recordings
def test_recorded_text_is_what_a_reader_sees() -> None:
    """Markdown is kept as it came; the plain text is made of what Reddit renders of it."""
    [exchange] = [one for one in load("reddit") if one.key == INBOX + "test_mentions#1"]
    first = read(exchange).mentions[0]
    assert first.text_raw.startswith("Hello /u/<USERNAME>,\n\nYour [submission](https://redd.it/")
    assert first.text.startswith("Hello /u/")
    assert "[submission]" not in first.text
    assert "^^" not in first.text
    every = [one for each in with_things() for one in read(each).mentions]
    escaped = [one.external_id for one in every if "&amp;" in one.text]
    assert escaped == ["t1_cu5wwkd"], "its author wrote it so"


@recordings
def test_recorded_messages_are_private_and_nothing_else_is() -> None:
    direct = 0
    for exchange in with_things():
        for one in read(exchange).mentions:
            private = one.external_id.startswith("t4_")
            assert (one.visibility is Visibility.DIRECT) is private
            direct += private
    assert direct == 91


@recordings
def test_recorded_answers_of_one_comment_agree_on_where_it_stands() -> None:
    """The inbox tells the post in an address only, other lists by its name."""
    agreed = 0
    for exchange in with_things():
        for one in read(exchange).mentions:
            raw = one.raw or {}
            if "link_id" in raw and "permalink" in raw:
                bare = {k: v for k, v in raw.items() if k not in {"link_id", "permalink"}}
                bare["context"] = f"{raw['permalink']}?context=3"
                as_inbox = things.parse_thing(bare, Around())
                assert as_inbox.thread == one.thread
                assert as_inbox.permalink == one.permalink
                agreed += 1
    assert agreed == 73


@recordings
def test_recorded_lists_of_moderators_say_what_waits_and_what_was_removed() -> None:
    every = {one.key: one for one in load("reddit")}
    mod = "praw:TestSubredditModeration."
    queue = read(every[mod + "test_modqueue__only_comments#1"], Around(listed=Filed.HELD))
    spam = read(every[mod + "test_spam__only_comments#1"], Around(listed=Filed.SPAM))
    assert {one.filed for one in queue.mentions} == {None}, "all were only reported"
    assert {one.filed for one in spam.mentions} == {Filed.SPAM}


@recordings
def test_recorded_trees_name_what_they_leave_out() -> None:
    every = {one.key: one for one in load("reddit")}
    part = trees.left_out(rows_of(every[FOREST + "_with_comment_limit#4"]))
    assert part.below == ("cu61zil", "cu5v5h7", "cu5uyz1")
    asked = sum(len(trees.left_out(rows_of(one)).more) for one in with_things())
    named = [
        number
        for one in with_things()
        for each in objects(one.json())
        if each.get("kind") == "more"
        for number in each["data"]["children"]
    ]
    assert asked == len(named) == 369


@recordings
def test_recorded_accounts_are_known() -> None:
    """Our own, and what Reddit tells of others by their ids."""
    names: set[str] = set()
    facts: dict[str, people.Facts] = {}
    for exchange in load("reddit"):
        if exchange.status != 200:
            continue
        if (exchange.url or "").startswith("https://oauth.reddit.com/api/v1/me?"):
            names.add(account.parse_identity(exchange.json()).external_id)
        elif "user_data_by_account_ids" in (exchange.url or ""):
            facts |= people.parse_facts(exchange.json())
    assert {BOT, ME} <= names
    assert facts["t2_6c1xj"].created_at == datetime(2011, 11, 29, 7, 49, 13, tzinfo=UTC)
    assert facts["t2_6c1xj"].karma == 0


@recordings
def test_recorded_refusals_say_what_to_do_next() -> None:
    seen = set()
    for exchange in load("reddit"):
        if exchange.method != "GET" or exchange.status not in {401, 403, 404, 451}:
            continue
        answer = answer_of(exchange)
        failure = refusals.refusal(answer, "identity")
        wanted = {401: AuthFailed, 403: AuthFailed, 404: Gone, 451: BadResponse}[answer.status]
        if "insufficient_scope" in exchange.headers.get("www-authenticate", ""):
            wanted = PermissionMissing
        assert type(failure) is wanted, exchange.key
        seen.add((exchange.status, wanted))
    assert len(seen) == 5


@recordings
def test_recorded_limits_are_seconds_until_the_window_ends() -> None:
    [exchange] = [one for one in load("reddit") if one.key == INBOX + "test_mark_all_read#1"]
    told = rate_limit(exchange.headers, NOW)
    assert (told.limit, told.remaining) == (1000, 999)
    every = [rate_limit(one.headers, NOW) for one in load("reddit")]
    resets = [one.reset_at - NOW for one in every if one.reset_at is not None]
    assert len(resets) > 200
    assert max(resets).total_seconds() <= 600


def answer_of(exchange: Exchange) -> Answer:
    body = exchange.body.encode()
    return Answer(exchange.status or 0, exchange.headers, "", body, NOW, RateLimit(), "reddit")
