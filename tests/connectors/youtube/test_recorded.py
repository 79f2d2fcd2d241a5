"""Recorded answers of the YouTube Data API v3, against what was read in them by hand.

They are of 2016-2022 and of the version that the connector speaks. Most were asked for with a key
and without `textFormat`, so the text also comes as HTML; `textOriginal` stands beside it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.connectors.answers import Answer
from app.connectors.asking import RateLimit
from app.connectors.base import Page
from app.connectors.failures import AuthFailed, BadResponse, Gone, PermissionMissing
from app.connectors.youtube import account, comments, refusals
from tests.recorded import Exchange, load, objects, recordings

US = "UCa-vrCLQHviTOVnEKDOdetQ"
NOW = datetime(2026, 10, 1, tzinfo=UTC)
COMMENT, THREAD = "youtube#comment", "youtube#commentThread"
YT = "yt:Yt_Collections_CommentThreads/"
WHOLE = YT + "with_parent_association/parent_as_video/1_2_1_1.yml#0"
SAME = (
    YT
    + "without_parent_association/with_a_videoId_param_returns_comment_threads_for_the_video.yml#0"
)
CHANNEL = YT + "with_parent_association/parent_as_channel/1_2_2_1.yml#0"
API = "pyyt:apidata/"
MODEL = "pyyt:modeldata/comments/"
ONE = "yt:Yt_Models_Comment/given_an_existing_comment_non-reply_ID/1_1_1.yml#0"
ABOUT_VIDEO = "yt:Yt_Models_CommentThread/given_an_comment_thread_ID_about_a_video/1_2_1.yml#0"
ABOUT_CHANNEL = (
    "yt:Yt_Models_CommentThread/given_an_existing_comment_thread_ID_about_a_channel/1_1_1.yml#0"
)

Row = tuple[str, str, str | None, str, str, bool]
FIRST: list[Row] = [
    ("UgyhNHq2KhSy1MePV8h4AaABAg", "UCEtndKmodQ-VNA5L_SLi7NQ", None, "2020-02-06T01:41:43",
     "comment", False),
    ("Ugx4VwV3pkePSHjE2794AaABAg", "UCOp31lJyHH9esklxwtJLgQw", None, "2020-02-05T16:46:43",
     "comment", False),
    ("Ugwr3hfxw-JkAJj-vk94AaABAg", "UCXOg9m47Namf0kopRivzKXQ", None, "2020-01-27T17:26:56",
     "comment", False),
]  # fmt: skip
HELLO: Row = (
    "UgyUBI0HsgL9emxcZpR4AaABAg", "UCTWlvHQQXUs-4IVfdnGOUbw", None, "2019-06-23T02:49:00",
    "comment", False,
)  # fmt: skip

# By hand, from the answers: how many comments, and (id, author, parent, time, kind, ours) of those
# (of long lists the first two and the last).
BY_HAND: dict[str, tuple[int, list[Row]]] = {
    WHOLE: (100, FIRST),
    SAME: (100, FIRST),
    CHANNEL: (24, [
        ("Ugyp3Dok55S4LpxnpIp4AaABAg", "UC30fhUo4fE25BLVRJHaatVQ", None, "2019-12-19T20:14:51",
         "comment", False),
        ("UgwufNGuOL9kMKAUWjZ4AaABAg", "UCSqkKiK-3wDhIVvRIZ1VpvQ", None, "2018-10-16T09:51:03",
         "comment", False),
        ("UgxArj_V6zj7rqQq_5N4AaABAg", "UC4VeISZSaCZPGAkVQqo58kA", None, "2018-04-27T19:38:55",
         "comment", False),
    ]),
    ONE: (1, [("Ugi3N3wihqfAYHgCoAEC", "UC7UWbTIsBs7riVyNir-Qfbw", None, "2016-03-22T20:10:55",
               "comment", False)]),
    ABOUT_VIDEO: (1, [("Ugh3nEdtiMzQSHgCoAEC", "UC7QZ9deX9gxvLgAMoBdTwLw", None,
                       "2016-10-01T03:30:09", "comment", False)]),
    ABOUT_CHANNEL: (1, [("UgzzJVW75s5KrSaf0Ah4AaABAg", "UCviCMiA7jUhPDjrn1JWK2SQ", None,
                         "2019-01-03T23:01:45", "comment", False)]),
    API + "comment_threads/comment_thread_single.json#0": (1, [
        ("UgxKREWxIgDrw8w2e_Z4AaABAg", "UClfzT4CU_yaZjJaI4pKqSjQ", None, "2019-04-20T01:03:39",
         "comment", False)]),
    API + "comment_threads/comment_threads_by_video_paged_2.json#0": (5, [
        ("UgyZ1jqkHKYvi1-ruOZ4AaABAg", "UCzj-CjKYmGlZ7vTL-vOe57A", None, "2019-11-26T15:51:44",
         "comment", False),
        ("Ugy4OzAuz5uJuFt3FH54AaABAg", "UCGBUkig1Ala-Z2gF73WSTdw", None, "2019-11-21T19:18:39",
         "comment", False),
        ("UgysQP-vp089eFP0Stl4AaABAg", "UCzZ87J8wYVpOADFviqyFKhw", None, "2019-11-17T11:34:48",
         "comment", False),
        ("UgyKv8ziPYFJDGytM_J4AaABAg", "UCHJQ8PHPGprvhKdLVHLwRPA", None, "2019-11-16T20:05:39",
         "comment", False),
        ("UgwI_ylXVnzPS8Q-oAV4AaABAg", "UCACHW4qVHoE4zqhHxcVE3Kw", None, "2019-11-14T23:31:33",
         "comment", False)]),
    API + "comment_threads/comment_threads_with_search.json#0": (1, [HELLO]),
    API + "comments/comments_multi.json#0": (2, [HELLO, (
        "Ugzi3lkqDPfIOirGFLh4AaABAg", "UCCuQ3wts9ASkk0qZJyEjYbw", None, "2018-05-26T20:11:30",
        "comment", False)]),
    API + "comments/comments_single.json#0": (1, [HELLO]),
    API + "comments/insert_response.json#0": (1, [(
        "Ugy_CAftKrIUCyPr9GR4AaABAg.9iPXEClD9lW9iPXLqKy_Pt", US, "Ugy_CAftKrIUCyPr9GR4AaABAg",
        "2022-11-14T10:23:02", "reply", True)]),
    MODEL + "comment_info.json#0": (1, [
        ("UgwxApqcfzZzF_C5Zqx4AaABAg", "UCqPku3cxM-ED3poX8YtGqeg", None, "2019-03-28T11:33:46",
         "comment", False)]),
    MODEL + "comment_thread_api_response.json#0": (2, [
        ("Ugz097FRhsQy5CVhAjp4AaABAg", "UCCz-SK7nwY_a3I2EqrplrLQ", None, "2019-08-23T14:06:16",
         "comment", False),
        ("UgzhytyP79_PwaDd4UB4AaABAg", "UC9Prn_6KFp1xu-t-rf-K8cA", None, "2019-08-23T23:12:09",
         "comment", False)]),
    MODEL + "comment_thread_info.json#0": (2, [
        ("UgydxWWoeA7F1OdqypJ4AaABAg", "UCe9i1nJCcevTa6KJa55KYog", None, "2019-06-23T08:24:24",
         "comment", False),
        ("UgydxWWoeA7F1OdqypJ4AaABAg.8wWQ3tdHcFx8xcDheui-qb", "UCsl2A_QzcSnFD2hpCyVwXxA",
         "UgydxWWoeA7F1OdqypJ4AaABAg", "2019-07-20T20:22:27", "reply", False)]),
}  # fmt: skip

# The same of refusals: what they mean.
REFUSED: dict[str, type[Exception]] = {
    YT + "without_parent_association/without_given_any_of_id_videoId_channelId_or_allThreadsRelated"
    "ToChannelId_param_raise_request_error.yml#0": BadResponse,
    API + "error_permission_resp.json#0": PermissionMissing,
    "pyyt:error_response.json#0": AuthFailed,
    "yt:Yt_Models_Channel/given_an_existing_channel_ID/with_a_hidden_list_of_subscriptions/"
    "1_1_11_1.yml#0": PermissionMissing,
    "yt:Yt_Models_Channel/given_someone_else_s_channel/with_a_hidden_list_of_subscriptions/"
    "1_1_8_1.yml#1": PermissionMissing,
    "yt:Yt_Models_Channel/given_an_unknown_channel/1_3_4.yml#1": BadResponse,  # of a subscription
}

LEFT_OUT = {
    "/token": "of Google's token endpoint, read by the shared renewal",
    "/userinfo": "who somebody is at Google, not on YouTube",
    "/search": "search results, which cost a hundred units and are never asked for",
    "/playlist": "playlists", "/videoCategories": "categories of videos", "/rate": "ratings",
    "/getRating": "ratings", "annotations_invideo": "of the web site, not of the API",
    "bit.ly": "of another site", "subscriptions": "subscriptions of somebody else, or made by us",
    "channels": "asked for to know people and ourselves: tested below",
    "videos": "asked for to know their titles: tested below",
}  # fmt: skip
FRAGMENT = MODEL + "comment_thread_snippet.json#0"
"""A part of an answer that was saved alone: the thread around it is in `comment_thread_info`."""


def read(exchange: Exchange) -> Page:
    """The comments of an answer, whether it is a list or one of them."""
    body = exchange.json()
    rows = body.get("items", [body])
    around = comments.Around(US)
    threads = [row for row in rows if row["kind"] == THREAD]
    alone = [row for row in rows if row["kind"] == COMMENT]
    assert len(threads) + len(alone) == len(rows)
    return comments.joined(
        [comments.parse_threads(threads, around), comments.parse_comments(alone, around)]
    )


def holds_comments(exchange: Exchange) -> bool:
    return any(one.get("kind") in {COMMENT, THREAD} for one in objects(exchange.json()))


@recordings
@pytest.mark.parametrize("key", BY_HAND)
def test_recorded_answers_bring_what_was_read_in_them_by_hand(key: str) -> None:
    count, wanted = BY_HAND[key]
    page = read(next(each for each in load("youtube") if each.key == key))
    assert not page.unparsed
    assert len(page.mentions) == count
    found = [
        (
            one.external_id,
            one.author.external_id,
            one.parent_external_id,
            f"{one.occurred_at:%Y-%m-%dT%H:%M:%S}",
            one.kind.value,
            one.author.external_id == US,
        )
        for one in page.mentions
    ]
    chosen = found if len(found) == len(wanted) else [*found[: len(wanted) - 1], found[-1]]
    assert chosen == wanted


@recordings
def test_every_recorded_answer_with_comments_is_read_and_none_of_them_is_lost() -> None:
    every = [one for one in load("youtube") if holds_comments(one)]
    assert {one.key for one in every} - {FRAGMENT} == BY_HAND.keys()
    for exchange in every:
        ids = {
            row["id"] for row in objects(exchange.json()) if row.get("kind") in {COMMENT, THREAD}
        }
        if exchange.key != FRAGMENT:
            assert {one.external_id for one in read(exchange).mentions} == ids
            assert all(one.occurred_at and one.text for one in read(exchange).mentions)


@recordings
def test_all_other_recorded_answers_are_named_with_the_reason() -> None:
    for exchange in load("youtube"):
        if holds_comments(exchange) or exchange.key in REFUSED or exchange.kind == "body":
            continue  # other saved bodies are of videos, channels, playlists and searches
        assert any(part in (exchange.url or "") for part in LEFT_OUT), exchange.key


@recordings
@pytest.mark.parametrize("key", REFUSED)
def test_recorded_refusals_say_what_to_do_next(key: str) -> None:
    exchange = next(each for each in load("youtube") if each.key == key)
    body = exchange.body.encode()
    answer = Answer(exchange.status or 0, {}, "", body, NOW, RateLimit(), "youtube")
    failure = refusals.refusal(answer, refusals.reasons_of(answer), paged=False)
    assert type(failure) is REFUSED[key]


@recordings
def test_recorded_channels_and_videos_are_known_by_their_names() -> None:
    named = titled = 0
    for exchange in load("youtube"):
        body: Any = exchange.json()
        kind = body.get("kind") if isinstance(body, dict) else None
        if kind == "youtube#channelListResponse" and body.get("items"):
            assert account.parse_identity(body, mine=True).external_id.startswith("UC")
            for row in comments.parse_channels(comments.items_of(body)).values():
                comments.facts_of(row)
                named += 1
        elif kind == "youtube#channelListResponse":
            with pytest.raises((Gone, BadResponse)):
                account.parse_identity(body, mine=False)
        elif kind == "youtube#videoListResponse":
            titled += len(
                [one for one in comments.parse_titles(comments.items_of(body)).values() if one]
            )
    assert named >= 10
    assert titled >= 10


@recordings
def test_a_recorded_old_id_is_answered_under_a_new_one() -> None:
    [exchange] = [one for one in load("youtube") if one.key == ONE]
    assert "z13kc1bxpp22hzaxr04cd1kreurbjja41q00k" in (exchange.url or "")
    assert read(exchange).mentions[0].external_id == "Ugi3N3wihqfAYHgCoAEC"
