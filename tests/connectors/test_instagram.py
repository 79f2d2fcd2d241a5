"""What Instagram does beyond a plain list, one test a fact."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.connectors.base import Connector, Kind, ThreadRef
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    Blind,
    Gone,
    PermissionMissing,
)
from app.connectors.keeping import NotStored
from app.connectors.meta import media
from app.connectors.platforms.instagram import (
    BLIND,
    NAMELESS,
    PLATFORM,
    RIGHTS,
    Credential,
    Instagram,
    Settings,
)
from tests.connectors.meta.staging import asked, error, listed, serve
from tests.connectors.playing import load
from tests.connectors.reading import Source, on_stage

US = media.Us("2001", "acmetea")
THREAD = ThreadRef("17001", permalink="https://www.instagram.com/p/C1/")
ME = {"id": "9901", "user_id": "2001", "username": "acmetea", "name": "Acme Tea"}
DIRECT = {"login": "instagram", "api_url": "{base}"}


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    async with on_stage(PLATFORM, copy.deepcopy(load("instagram"))) as stage:
        serve(stage, "me", ME)
        yield stage


def comment(number: int = 1, **more: Any) -> dict[str, Any]:
    at = (datetime(2026, 10, 1, tzinfo=UTC) + timedelta(minutes=number)).isoformat()
    row = {"id": str(18000 + number), "text": "Hm", "timestamp": at}
    return {**row, "from": {"id": "5101", "username": "anna"}, **more}


def read(*rows: Any, is_end: bool = True) -> media.Listing:
    return media.parse_comments(rows, THREAD, US, is_end=is_end)


# --- the token, by both ways in ---


async def test_the_token_of_the_account_itself_opens_it(source: Source) -> None:
    found = await source.connector(settings=DIRECT).check()
    assert found.identity is not None
    assert (found.identity.external_id, found.identity.handle) == ("2001", "acmetea")
    assert found.identity.aliases == ("9901", "acmetea")
    assert found.rights == RIGHTS["instagram"]
    assert found.estimate is not None
    assert (found.estimate.unit, found.estimate.per_day) == ("requests", 144)
    assert not asked(source, "debug_token")  # graph.instagram.com has none


async def test_the_token_of_a_page_opens_the_account_linked_to_it(source: Source) -> None:
    linked = {"id": "2001", "username": "acmetea", "name": "Acme Tea"}
    serve(source, "me", {"id": "1001", "instagram_business_account": linked})
    settings = {"login": "facebook", "api_url": "{base}"}
    found = await source.connector(settings=settings).check()
    assert found.identity is not None
    assert found.identity.external_id == "2001"
    assert set(RIGHTS["facebook"]) <= set(found.rights)
    assert found.estimate is not None
    assert found.estimate.per_day == 288, "posts that tag the account are a list of their own"


async def test_a_page_without_a_linked_account_says_so(source: Source) -> None:
    serve(source, "me", {"id": "1001"})
    settings = {"login": "facebook", "api_url": "{base}"}
    with pytest.raises(PermissionMissing):
        await source.connector(settings=settings).check()
    told = "(#100) Tried accessing nonexisting field (instagram_business_account)"
    serve(source, "me", error(100, message=told), status=400)
    with pytest.raises(Blind):
        await source.connector(settings=settings).check()


async def test_the_token_of_another_account_is_refused(source: Source) -> None:
    with pytest.raises(AuthFailed):
        await source.connector(settings={**DIRECT, "account_id": "2002"}).check()


async def test_the_token_of_a_person_serves_where_the_account_is_named(source: Source) -> None:
    scopes = ["instagram_basic", "instagram_manage_comments"]
    serve(source, "debug_token", {"data": {"type": "USER", "is_valid": True, "scopes": scopes}})
    assert not (await source.connector().check()).missing


async def test_rights_that_lack_are_named(source: Source) -> None:
    body = {"type": "PAGE", "is_valid": True, "scopes": ["instagram_basic"]}
    serve(source, "debug_token", {"data": body})
    assert (await source.connector().check()).missing == ("instagram_manage_comments",)


async def test_a_right_that_only_reading_shows_to_lack_is_named(source: Source) -> None:
    serve(source, "2001/media", error(10), status=403, limit="5")
    found = await source.connector(settings=DIRECT).check()
    assert found.missing == ("instagram_business_manage_comments",)


async def test_the_sample_counts_what_others_wrote(source: Source) -> None:
    found = await source.connector().check()
    assert found.sample is not None
    assert found.sample.count == 2
    assert found.sample.newest_at == datetime(2026, 10, 2, 8, tzinfo=UTC)


async def test_comments_that_are_counted_and_not_shown_are_blindness(source: Source) -> None:
    serve(source, "2001/media", listed({"id": "17001", "comments_count": 9}), limit="5")
    with pytest.raises(Blind) as caught:
        await source.connector().check()
    assert caught.value.detail == BLIND


async def test_comments_without_names_are_warned_of(source: Source) -> None:
    nameless = {"id": "18001", "text": "Hm"}
    body = {"id": "17001", "comments_count": 1, "comments": listed(nameless)}
    serve(source, "2001/media", listed(body), limit="5")
    assert NAMELESS in (await source.connector().check()).warnings


# --- a token that lives on ---


class Stored(NotStored):
    """A credential as the service keeps it; `by_others` is what somebody else stored meanwhile."""

    by_others: Mapping[str, str] | None = None

    @asynccontextmanager
    async def renewing(self) -> AsyncIterator[Mapping[str, str] | None]:
        yield self.by_others


def direct(source: Source, stored: Stored, expires_at: str) -> Connector:
    return Instagram(
        settings=Settings(login="instagram", api_url=source.address),
        credential=Credential(access_token="old", client_id="7", expires_at=expires_at),
        http=source.door.for_source(),
        save_credential=stored,
    )


def tokens(source: Source, path: str) -> list[str]:
    requests = source.stage.player.requests
    return [h["authorization"] for _, place, _, h in requests if place.endswith(path)]


async def test_a_token_near_its_end_is_renewed_stored_and_used(source: Source) -> None:
    serve(source, "/refresh_access_token", {"access_token": "new", "expires_in": 5184000})
    stored, soon = Stored(), datetime.now(UTC) + timedelta(days=9)
    connector = direct(source, stored, soon.isoformat())
    await connector.fetch_page("media", None)
    assert stored.renewed["access_token"] == "new"
    assert stored.renewed["client_id"] == "7"
    ends = datetime.fromisoformat(stored.renewed["expires_at"])
    assert timedelta(days=59) < ends - datetime.now(UTC) < timedelta(days=61)
    await connector.fetch_page("media", None)
    assert tokens(source, "/2001/media") == ["Bearer new", "Bearer new"]
    assert len(asked(source, "/refresh_access_token")) == 1


async def test_a_token_far_from_its_end_is_left_alone(source: Source) -> None:
    later = datetime.now(UTC) + timedelta(days=45)
    await direct(source, Stored(), later.isoformat()).fetch_page("media", None)
    assert asked(source, "/refresh_access_token") == []


async def test_a_token_that_cannot_be_renewed_yet_is_used_as_it_is(source: Source) -> None:
    """Within a day of its making Meta refuses; it is asked an hour later, not at each poll."""
    serve(source, "/refresh_access_token", error(100), status=400)
    stored = Stored()
    connector = direct(source, stored, "")
    assert (await connector.fetch_page("media", None)).mentions
    await connector.fetch_page("media", None)
    assert stored.renewed == {}
    assert len(asked(source, "/refresh_access_token")) == 1


async def test_a_token_that_others_renewed_meanwhile_is_taken_over(source: Source) -> None:
    stored = Stored()
    stored.by_others = {"access_token": "theirs", "expires_at": "2030-01-01T00:00:00+00:00"}
    await direct(source, stored, "").fetch_page("media", None)
    assert tokens(source, "/2001/media") == ["Bearer theirs"]
    assert asked(source, "/refresh_access_token") == []


async def test_the_token_of_a_page_is_never_renewed(source: Source) -> None:
    await source.connector().fetch_page("media", None)
    assert asked(source, "/refresh_access_token") == []


# --- the lists ---


def test_what_is_lost_by_design_is_declared() -> None:
    lost = {each.cause for each in streams("facebook")["comments"].lost}
    assert lost == {"cap", "push_only", "not_shown", "not_read"}
    assert "tags" in streams("facebook")
    assert "tags" not in streams("instagram")
    assert "not_offered" in {each.cause for each in streams("instagram")["comments"].lost}


def streams(login: Any) -> dict[str, Any]:
    connector = Instagram(
        settings=Settings(login=login),
        credential=Credential(access_token="x"),
        http=None,  # type: ignore[arg-type]  # declared without a network
        save_credential=NotStored(),
    )
    return {spec.name: spec for spec in connector.streams()}


def test_each_way_in_has_its_own_host() -> None:
    assert Settings(login="instagram").root == "https://graph.instagram.com"
    assert Settings(login="facebook").root == "https://graph.facebook.com"
    assert Settings(api_url="http://127.0.0.1:9").root == "http://127.0.0.1:9"


def test_a_full_page_says_how_far_it_reaches_where_there_is_no_more() -> None:
    full = [comment(number) for number in range(50, 0, -1)]
    assert read(*full).page.oldest_at == datetime(2026, 10, 1, 0, 1, tzinfo=UTC)
    assert read(*full, is_end=False).page.oldest_at is None
    assert read(*full[1:]).page.oldest_at is None


async def test_a_place_beyond_the_fifty_is_followed_where_meta_gives_one(source: Source) -> None:
    """Nothing says that there is one; recorded answers have had it."""
    connector = source.connector()
    parent = (await connector.fetch_page("media", {"after": "M2"})).parents[0]
    serve(source, "17001/comments", listed(comment(9)), after="C2")
    serve(source, "17001/comments", listed(comment(10), after="C2"), after=None)
    page = await connector.fetch_page("comments", None, parent=parent)
    assert page.more
    more = await connector.fetch_page("comments", page.next_cursor, parent=parent)
    assert [one.external_id for one in more.mentions] == ["18009"]


async def test_answers_are_asked_for_with_a_limit_and_read_to_their_end(source: Source) -> None:
    connector = source.connector()
    parent = (await connector.fetch_page("media", {"after": "M2"})).parents[0]
    first = {**listed(comment(2, parent_id="18001"), after="R2")}
    serve(source, "17001/comments", listed(comment(1, replies=first)))
    serve(source, "18001/replies", listed(comment(3, parent_id="18001")), after="R2")
    serve(source, "18001/replies", listed(comment(2, parent_id="18001"), after="R2"), after=None)
    page = await connector.fetch_page("comments", None, parent=parent)
    assert {one.external_id for one in page.mentions} == {"18001", "18002", "18003"}
    fields = asked(source, "17001/comments")[0]["fields"][0]
    assert "replies.limit(50){" in fields


async def test_the_number_of_comments_has_a_post_read_again(source: Source) -> None:
    page = await source.connector().fetch_page("media", {"after": "M2"})
    assert [(one.external_id, one.counter) for one in page.parents] == [("17001", 6)]


async def test_a_tag_by_somebody_else_is_a_mention(source: Source) -> None:
    [tag] = (await source.connector().fetch_page("tags", None)).mentions
    assert (tag.kind, tag.author.external_id, tag.author.handle) == (
        Kind.MENTION,
        "@cem.a",
        "cem.a",
    )
    with pytest.raises(BadResponse):
        await source.connector(settings=DIRECT).fetch_page("tags", None)


# --- one comment ---


def test_the_field_user_means_that_it_is_ours() -> None:
    row = {**comment(), "user": {"id": "2001"}}
    del row["from"]
    assert read(row).page.mentions[0].author.external_id == "2001"


def test_our_user_name_means_that_it_is_ours() -> None:
    row = {**comment(username="AcmeTea"), "from": None}
    assert read(row).page.mentions[0].author.external_id == "2001"


def test_where_the_author_has_no_number_the_user_name_stands_for_him() -> None:
    row = {**comment(username="Bob_R"), "from": None}
    [found] = read(row).page.mentions
    assert (found.author.external_id, found.author.handle) == ("@bob_r", "Bob_R")
    assert not found.author.signals
    [nobody] = read({**comment(), "from": None}).page.mentions
    assert nobody.author.signals


def test_our_answer_counts_for_the_one_it_names() -> None:
    """An answer to an answer is silently hung on the comment on top."""
    bob = {"from": {"id": "5102", "username": "bob"}}
    ours = comment(3, text="@bob the fruit ones", user={"id": "2001"}, **{"from": {"id": "2001"}})
    top = comment(1, replies=listed(comment(2, **bob), ours))
    found = {one.external_id: one.parent_external_id for one in read(top).page.mentions}
    assert found == {"18001": "17001", "18002": "18001", "18003": "18002"}


def test_a_hidden_comment_is_acknowledged() -> None:
    [found] = read(comment(hidden=True)).page.mentions
    assert found.acknowledged


def test_a_comment_has_the_address_of_its_post() -> None:
    [found] = read(comment()).page.mentions
    assert found.permalink == THREAD.permalink


def test_answers_below_a_comment_that_cannot_be_read_are_kept() -> None:
    answer = comment(2, parent_id="18001")
    listing = read({"text": "no id", "replies": listed(answer)})
    assert [one.parent_external_id for one in listing.page.mentions] == ["18001"]
    assert len(listing.page.unparsed) == 1


async def test_a_deleted_comment_is_gone_only_while_comments_can_be_read(source: Source) -> None:
    with pytest.raises(Gone):
        await source.connector().fetch_item("18999")
    serve(source, "2001/media", error(10), status=403, limit="5")
    with pytest.raises(PermissionMissing):
        await source.connector().fetch_item("18999")


async def test_a_deleted_post_is_gone_only_while_comments_can_be_read(source: Source) -> None:
    connector = source.connector()
    parent = (await connector.fetch_page("media", {"after": "M2"})).parents[0]
    serve(source, "17001/comments", error(100, 33), status=400)
    with pytest.raises(Gone):
        await connector.fetch_page("comments", None, parent=parent)
    serve(source, "2001/media", error(10), status=403, limit="5")
    with pytest.raises(PermissionMissing):
        await connector.fetch_page("comments", None, parent=parent)


async def test_a_post_is_told_from_a_comment_by_its_fields(source: Source) -> None:
    told = "(#100) Tried accessing nonexisting field (text)"
    tag = {"id": "17101", "username": "cem.a", "caption": "Best tea @acmetea"}
    serve(source, "17101", tag)
    serve(source, "17101", error(100, message=told), status=400, fields=media.ONE_COMMENT_FIELDS)
    assert (await source.connector().fetch_item("17101")).kind is Kind.MENTION
