"""What views of Lemmy mean, one test a fact."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from app.connectors.base import Kind, Mention, TextFormat, Visibility
from app.connectors.fields import Unreadable
from app.connectors.lemmy import views
from app.connectors.lemmy.views import COMMENT, MESSAGE, POST, Around

US = "https://lemmy.example/u/acme"
PERSON = {"id": 2, "name": "Anna", "ap_id": "https://far.example/u/Anna",
          "published_at": "2026-09-20T00:00:00Z", "bot_account": False}  # fmt: skip
ME = {"id": 1, "name": "acme", "ap_id": US, "published_at": "2020-01-01T00:00:00Z"}
VIEW: dict[str, Any] = {
    "comment": {"id": 27, "content": "Is it *free*?", "path": "0.24.27", "language_id": 37,
                "published_at": "2026-10-01T10:00:00.123456Z", "ap_id": "https://far.example/c/7"},
    "post": {"id": 9, "name": "Acme Notes 4", "ap_id": "https://lemmy.example/post/9",
             "published_at": "2026-10-01T09:00:00Z"},
    "creator": PERSON,
    "community": {"id": 5, "name": "acme", "visibility": "public"},
}  # fmt: skip
POSTED: dict[str, Any] = {key: VIEW[key] for key in ("post", "creator", "community")}
LETTER: dict[str, Any] = {
    "private_message": {"id": 40, "content": "Hello", "published_at": "2026-10-01T10:00:00Z"},
    "creator": PERSON,
    "recipient": ME,
}
AROUND = Around(US, {37: "en"})


def changed(view: dict[str, Any], what: str, **more: Any) -> dict[str, Any]:
    found = copy.deepcopy(view)
    found[what] = {**found[what], **more}
    return found


def comment(around: Around = AROUND, **more: Any) -> Mention:
    return views.parse_comment(changed(VIEW, "comment", **more), around)


def post(**more: Any) -> Mention:
    return views.parse_post(changed(POSTED, "post", **more), AROUND)


def test_a_comment_tells_its_place_text_and_language() -> None:
    found = comment()
    assert (found.external_id, found.parent_external_id) == ("comment:27", "comment:24")
    assert (found.thread.external_id, found.thread.title) == ("post:9", "Acme Notes 4")
    assert (found.text, found.text_format) == ("Is it *free*?", TextFormat.MARKDOWN)
    assert (found.permalink, found.language) == ("https://far.example/c/7", "en")
    assert found.occurred_at == datetime(2026, 10, 1, 10, 0, 0, 123456, tzinfo=UTC)
    assert comment(language_id=0).language == ""


def test_a_comment_right_below_a_post_answers_the_post() -> None:
    assert comment(path="0.27").parent_external_id == "post:9"


@pytest.mark.parametrize("path", ["", "27", "0", "0.24", "0.x.27", "1.24.27", "0.24.27.", None])
def test_a_path_that_does_not_lead_to_the_comment_is_unreadable(path: Any) -> None:
    with pytest.raises(Unreadable, match="path"):
        comment(path=path)


@pytest.mark.parametrize(
    ("around", "path", "kind"),
    [
        (Around(US), "0.24.27", Kind.COMMENT),
        (Around(US, ours=frozenset({"comment:24"})), "0.24.27", Kind.REPLY),
        (Around(US, answers_us=True), "0.24.27", Kind.REPLY),
        (Around(US, answers_us=True), "0.27", Kind.COMMENT),
        (Around(US, comment=Kind.MENTION, answers_us=True), "0.24.27", Kind.MENTION),
    ],
)
def test_what_answers_a_comment_of_ours_is_a_reply(around: Around, path: str, kind: Kind) -> None:
    assert comment(around, path=path).kind is kind


def test_ours_are_told_by_their_author() -> None:
    ours = changed({**VIEW, "creator": ME}, "comment", id=24, path="0.24")
    assert views.ours_in([VIEW, ours, None, {}], US) == {"comment:24"}


def test_an_author_is_known_by_the_address_that_counts_everywhere() -> None:
    who = comment().author
    assert (who.external_id, who.handle) == ("https://far.example/u/Anna", "Anna@far.example")
    assert [signal.code for signal in who.signals] == ["young_account"]
    old = {key: value for key, value in PERSON.items() if key != "ap_id"}
    old["actor_id"] = PERSON["ap_id"]
    assert views.parse_person(old).external_id == who.external_id
    with pytest.raises(Unreadable, match="address"):
        views.parse_person({**PERSON, "ap_id": "javascript:alert(1)"})


def test_what_the_server_says_of_an_author_is_told_with_its_reason() -> None:
    told = {"creator_banned": True, "creator_is_admin": True, "creator_is_moderator": True}
    who = views.parse_comment({**VIEW, **told}, AROUND).author
    codes = [signal.code for signal in who.signals]
    assert codes == ["young_account", "banned", "admin", "moderator"]
    in_v3 = views.parse_comment(changed(VIEW, "creator", banned=True), AROUND).author
    assert "banned" in [signal.code for signal in in_v3.signals]
    assert views.parse_comment(changed(VIEW, "creator", bot_account=True), AROUND).author.is_bot


@pytest.mark.parametrize(
    ("word", "seen"),
    [
        ("public", Visibility.PUBLIC),
        ("Public", Visibility.PUBLIC),
        ("local_only_public", Visibility.PUBLIC),
        ("unlisted", Visibility.UNLISTED),
        ("private", Visibility.FOLLOWERS),
        ("local_only_private", Visibility.FOLLOWERS),
        ("LocalOnlyPrivate", Visibility.FOLLOWERS),
    ],
)
def test_private_communities_are_for_their_members(word: str, seen: Visibility) -> None:
    view = changed(VIEW, "community", visibility=word)
    assert views.parse_comment(view, AROUND).visibility is seen


def test_a_vote_of_ours_acknowledges_in_both_apis() -> None:
    told: list[dict[str, Any]] = [{"my_vote": 1}, {"comment_actions": {"vote_is_upvote": True}}]
    assert all(views.parse_comment({**VIEW, **one}, AROUND).acknowledged for one in told)
    untold: list[dict[str, Any]] = [
        {"my_vote": -1},
        {"my_vote": True},
        {"comment_actions": {"vote_is_upvote": False}},
    ]
    assert not any(views.parse_comment({**VIEW, **one}, AROUND).acknowledged for one in untold)


def test_a_post_is_its_title_and_its_text_with_what_it_links_to() -> None:
    assert (post().text, post(body="It stops.").text) == (
        "Acme Notes 4",
        "Acme Notes 4\n\nIt stops.",
    )
    page, picture = (
        post(url="https://a.example/b"),
        post(url="https://a.example/b.png", url_content_type="image/png", alt_text="A chart"),
    )
    assert [media.kind for media in (*page.media, *picture.media)] == ["link", "image"]
    assert picture.media[0].description == "A chart"
    assert post(url="javascript:alert(1)").media == ()


def test_who_is_named_is_told_in_lower_case() -> None:
    text = "[@Acme@Lemmy.example](https://lemmy.example/u/acme), !notes@far.example a@b.example"
    assert comment(content=text).addressed == ("acme@lemmy.example",)


def test_an_edit_tells_its_time() -> None:
    assert comment().edited_at is None
    at = datetime(2026, 10, 1, 11, tzinfo=UTC)
    assert comment(updated_at="2026-10-01T11:00:00Z").edited_at == at
    assert comment(updated="2026-10-01T11:00:00").edited_at == at, "v3 before 0.19: no zone"


def test_private_messages_of_two_people_are_one_conversation() -> None:
    theirs = views.parse_message(LETTER, AROUND)
    ours = views.parse_message({**LETTER, "creator": ME, "recipient": PERSON}, AROUND)
    assert theirs.thread == ours.thread
    assert theirs.thread.external_id == "with:https://far.example/u/Anna"
    assert (theirs.visibility, theirs.kind) == (Visibility.DIRECT, Kind.DIRECT_MESSAGE)
    assert ours.addressed == ("https://far.example/u/Anna", "anna@far.example")
    assert ours.parent_external_id is None


def test_what_is_deleted_or_removed_is_gone() -> None:
    rows = [changed(VIEW, "comment", deleted=True), changed(VIEW, "comment", id=3, removed=True)]
    page = views.parse_views(rows, COMMENT, AROUND)
    assert (page.gone, page.mentions, page.unparsed) == (("comment:27", "comment:3"), (), ())


def test_notifications_are_sorted_by_when_they_were_made() -> None:
    """What another server delivers late keeps its own time, and is listed when it came."""
    made = {"id": 7, "kind": "reply", "published_at": "2026-10-04T00:00:00Z"}
    rows = [{"notification": made, "data": {"type_": "comment", **VIEW}}]
    page = views.parse_views(rows, COMMENT, AROUND)
    assert page.newest_at == datetime(2026, 10, 4, tzinfo=UTC)
    assert page.mentions[0].occurred_at == comment().occurred_at
    old = {**VIEW, "comment_reply": {"id": 7, "published": "2026-10-04T00:00:00"}}
    assert views.parse_views([old], COMMENT, AROUND).newest_at == page.newest_at


def test_a_view_says_what_it_is_in_either_spelling() -> None:
    for word in ("private_message", "PrivateMessage"):
        page = views.parse_views([{"type_": word, **LETTER}], COMMENT, AROUND)
        assert [one.external_id for one in page.mentions] == ["private_message:40"]
    moderation = {"notification": {"id": 1}, "data": {"type_": "mod_action", "modlog": {}}}
    assert views.parse_views([moderation], COMMENT, AROUND).skipped == {"mod_action": 1}


def test_one_that_cannot_be_read_is_put_aside_and_costs_no_other() -> None:
    rows: list[Any] = [
        VIEW,
        changed(VIEW, "comment", id=3, content=""),
        {},
        None,
        {"notification": {}},
    ]
    page = views.parse_views(rows, COMMENT, AROUND)
    assert len(page.mentions) == 1
    assert [bad.external_id for bad in page.unparsed] == ["comment:3", None, None, None]
    assert views.parse_views([VIEW], MESSAGE, AROUND).unparsed[0].external_id is None


def test_posts_of_ours_are_watched_with_their_counter() -> None:
    v4 = changed(POSTED, "post", comments=4)
    v3 = {**changed(POSTED, "post", id=10), "counts": {"comments": 7}}
    rows = [v4, v3, VIEW, {"type_": "comment", **VIEW}, changed(POSTED, "post", deleted=True), None]
    found = views.parse_parents(rows)
    assert [(one.external_id, one.counter) for one in found] == [("post:9", 4), ("post:10", 7)]
    assert (
        views.parse_views([v4], POST, AROUND).mentions[0].thread.started_at == found[0].created_at
    )
