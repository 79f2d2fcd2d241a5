"""What LinkedIn does beyond a plain list, one test a fact."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.connectors.base import Connector, Kind, Parent
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    Gone,
    PermissionMissing,
    RateLimited,
)
from app.connectors.keeping import NotStored
from app.connectors.linkedin import account, comments, events, rest, urns
from app.connectors.oauth import Client, Granted
from app.connectors.platforms.linkedin import PLATFORM, UNTOLD
from tests.connectors.meta import staging
from tests.connectors.playing import load
from tests.connectors.raw_servers import raw_server
from tests.connectors.reading import Source, on_stage, read_parents, read_stream

US = "urn:li:organization:7001"
POST = "urn:li:activity:9001"
ANNA = f"urn:li:comment:({POST},101)"
PLACE = comments.Place(US)
NOTIFICATIONS = "organizationalEntityNotifications"
MINUTE = 60_000


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    async with on_stage(PLATFORM, copy.deepcopy(load("linkedin"))) as stage:
        yield stage


def serve(source: Source, path: str, body: Any, *, status: int = 200, **query: str | None) -> None:
    staging.serve(source, f"/rest/{path}", body, status=status, headers=None, **query)


def asked(source: Source, path: str) -> list[dict[str, list[str]]]:
    return staging.asked(source, f"/rest/{path}")


def listed(*rows: Any, **paging: Any) -> dict[str, Any]:
    return {"elements": list(rows), "paging": {"start": 0, "count": 100, "links": [], **paging}}


def refused(status: int, message: str = "no", code: str = "ACCESS_DENIED") -> dict[str, Any]:
    return {"serviceErrorCode": 100, "code": code, "message": message, "status": status}


def comment(number: int = 101, **more: Any) -> dict[str, Any]:
    at = 1_790_000_000_000 + number * MINUTE
    times = {"created": {"time": at}, "lastModified": {"time": at}}
    who = {"commentUrn": f"urn:li:comment:({POST},{number})", "actor": "urn:li:person:a-1"}
    return {**who, **times, "message": {"text": "Hm"}, **more}


def notification(action: str, **more: Any) -> dict[str, Any]:
    row = {"notificationId": 1, "action": action, "sourcePost": POST, "lastModifiedAt": 17900e8}
    return {**row, "generatedActivity": "urn:li:comment:(activity:9001,101)", **more}


def spec_of(connector: Connector, name: str) -> Any:
    return next(spec for spec in connector.streams() if spec.name == name)


async def everything(connector: Connector, name: str) -> list[Any]:
    spec = spec_of(connector, name)
    parents = await read_parents(connector, spec)
    return [page for one in parents for page in await read_stream(connector, spec, one)]


# --- Rest.li ---


def test_a_urn_is_encoded_whole_and_the_signs_of_a_list_are_not() -> None:
    assert urns.listed("ids", "1", POST) == "ids=List(1,urn%3Ali%3Aactivity%3A9001)"
    assert urns.spanned("timeRange", 5, 9) == "timeRange=(start:5,end:9)"
    assert urns.encoded(ANNA) == "urn%3Ali%3Acomment%3A%28urn%3Ali%3Aactivity%3A9001%2C101%29"


async def test_what_leaves_the_door_is_written_as_restli_wants_it() -> None:
    """Nothing between us and the platform may encode the signs, or decode the URNs."""
    lines: list[bytes] = []

    async def serve_raw(reader: Any, writer: Any) -> None:
        lines.append(await reader.readline())
        writer.write(b"HTTP/1.1 401 no\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with raw_server(serve_raw) as address, on_stage(PLATFORM, load("linkedin")) as stage:
        held = {"access_token": "t", "refresh_token": "", "expires_at": ""}
        settings = account.Settings(organization_id="7001", api_url=address)
        client, _ = account.rest_of(stage.door.for_source(), settings, held, NotStored())
        with pytest.raises(AuthFailed):
            await client.get(
                f"socialActions/{urns.encoded(ANNA)}/comments",
                urns.listed("ids", "1", POST),
                urns.spanned("timeRange", 5, 9),
            )
    [line] = lines
    assert line.split()[1] == (
        b"/rest/socialActions/urn%3Ali%3Acomment%3A%28urn%3Ali%3Aactivity%3A9001%2C101%29/comments"
        b"?ids=List(1,urn%3Ali%3Aactivity%3A9001)&timeRange=(start:5,end:9)"
    )


async def test_every_request_names_version_and_protocol(source: Source) -> None:
    await source.connector().fetch_page("notifications", None)
    for _, _, _, headers in source.stage.player.requests:
        assert headers["linkedin-version"] == "202608"
        assert headers["x-restli-protocol-version"] == "2.0.0"
        assert headers["authorization"] == "Bearer token-of-the-test"


@pytest.mark.parametrize(
    ("value", "canonical"),
    [
        ("urn:li:comment:(activity:9001,101)", ANNA),
        (ANNA, ANNA),
        ("urn:li:comment:(urn:li:ugcPost:5,7)", "urn:li:comment:(urn:li:ugcPost:5,7)"),
        ("urn:li:comment:101", None),
        ("urn:li:comment:(a b,1)", None),
        (7, None),
    ],
)
def test_a_comment_has_one_name_however_it_is_written(value: Any, canonical: str | None) -> None:
    found = urns.find_comment(value)
    assert (None if found is None else str(found)) == canonical


# --- the token, the Page, the version ---


async def test_the_check_says_whose_page_what_may_be_done_and_until_when(source: Source) -> None:
    found = await source.connector().check()
    assert found.identity is not None
    assert (found.identity.external_id, found.identity.handle) == (US, "acme-tea")
    assert "rw_organization_admin" in found.rights
    assert found.expires_at == datetime.fromtimestamp(1798000000, UTC)
    assert found.sample is not None
    assert found.sample.count == 1  # ours, edits and deletions are nobody who waits
    assert found.sample.newest_at == datetime(2026, 10, 1, 10, tzinfo=UTC)


async def test_without_the_apps_secret_the_rights_are_unknown(source: Source) -> None:
    found = await source.connector(credential={"access_token": "t"}).check()
    assert (found.missing, UNTOLD in found.warnings) == ((), True)


async def test_rights_that_lack_are_named(source: Source) -> None:
    told = {"active": True, "scope": "openid,w_member_social"}
    source.stage.player.exchanges.insert(0, introspected(told))
    missing = (await source.connector().check()).missing
    assert missing == ("rw_organization_admin", "r_organization_social_feed")


def introspected(body: Any) -> dict[str, Any]:
    return {
        "request": {"method": "POST", "path": "/oauth/v2/introspectToken"},
        "response": {"status": 200, "body": body},
    }


async def test_a_token_that_was_taken_back_wants_a_person(source: Source) -> None:
    source.stage.player.exchanges.insert(0, introspected({"active": False, "status": "revoked"}))
    with pytest.raises(AuthFailed):
        await source.connector().check()


async def test_who_does_not_manage_the_page_is_told_so(source: Source) -> None:
    settings = {"organization_id": "7003", "api_url": "{base}"}
    with pytest.raises(PermissionMissing) as caught:
        await source.connector(settings=settings).fetch_page("posts", None)
    assert caught.value.rights == (account.ROLE,)
    serve(source, "organizationAcls", listed())
    with pytest.raises(PermissionMissing):
        await source.connector(settings={"api_url": "{base}"}).check()


async def test_a_role_that_was_taken_back_is_none(source: Source) -> None:
    role = {"role": "ADMINISTRATOR", "organization": US, "state": "REVOKED"}
    serve(source, "organizationAcls", listed(role))
    with pytest.raises(PermissionMissing):
        await source.connector().check()


async def test_of_several_pages_one_has_to_be_named(source: Source) -> None:
    with pytest.raises(BadResponse) as caught:
        await source.connector(settings={"api_url": "{base}"}).check()
    assert "7001, 7002" in caught.value.detail
    only = {"organizationalTarget": US, "role": "ADMINISTRATOR", "state": "APPROVED"}
    serve(source, "organizationAcls", listed(only))
    found = await source.connector(settings={"api_url": "{base}"}).check()
    assert found.identity is not None
    assert found.identity.external_id == US


def told(version: str, now: datetime, ends: datetime | None, *, renewed: bool = False) -> str:
    settings = account.Settings(version=version)
    return " ".join(account.warnings(settings, now, ends, renewed=renewed))


def test_the_end_of_a_version_is_told_sixty_days_ahead() -> None:
    assert account.version_ends("202608") == datetime(2027, 8, 1, tzinfo=UTC)
    assert account.version_ends("202512") == datetime(2026, 12, 1, tzinfo=UTC)
    june, may = datetime(2027, 6, 3, tzinfo=UTC), datetime(2027, 5, 1, tzinfo=UTC)
    assert "202608" in told("202608", june, None)
    assert "August 2027" in told("202608", june, None)
    assert told("202608", may, None) == ""


def test_the_end_of_a_token_is_told_seven_days_ahead_where_nothing_renews_it() -> None:
    now = datetime(2026, 11, 1, tzinfo=UTC)
    soon, later = now + timedelta(days=6), now + timedelta(days=8)
    assert "connect again" in told("202608", now, soon)
    assert told("202608", now, later) == ""
    assert told("202608", now, soon, renewed=True) == ""


async def test_a_version_that_has_ended_says_what_to_set(source: Source) -> None:
    ended = refused(426, "Requested version 20240801 is not active", "NONEXISTENT_VERSION")
    for status in (426, 400):
        serve(source, "posts", {**ended, "status": status}, status=status)
        with pytest.raises(BadResponse) as caught:
            await source.connector().fetch_page("posts", None)
        assert "set `version`" in caught.value.detail


async def test_a_consent_opens_each_page_that_the_person_manages(source: Source) -> None:
    way = PLATFORM.oauth
    assert way is not None
    granted = Granted(
        account.Settings(api_url=source.address),
        Client("7712", "app-secret"),
        {"access_token": "fresh", "expires_in": 5184000, "scope": "x"},
        datetime(2026, 11, 1, tzinfo=UTC).isoformat(),
    )
    serve(source, "organizations/7002", refused(403), status=403)
    found = await way.accounts(source.door.for_source(), granted)
    assert [(each.external_id, each.handle) for each in found] == [
        (US, "acme-tea"),
        ("urn:li:organization:7002", "7002"),  # its name is not told
    ]
    assert found[0].settings == {"organization_id": "7001"}
    credential = account.Credential.model_validate(found[0].credential)
    assert credential.expires_at.startswith("2026-12-31")
    assert (credential.client_id, credential.refresh_token) == ("7712", "")


async def test_a_refused_token_is_renewed_where_the_app_was_given_a_way(source: Source) -> None:
    source.stage.player.exchanges.insert(
        0,
        {
            "request": {"method": "POST", "path": "/oauth/v2/accessToken"},
            "response": {"status": 200, "body": {"access_token": "new", "expires_in": 5184000}},
        },
    )
    connector = source.connector()
    await connector.fetch_page("posts", None)
    serve(source, "posts", refused(401), status=401)
    with pytest.raises(AuthFailed):
        await connector.fetch_page("posts", None)
    sent = [h["authorization"] for _, p, _, h in source.stage.player.requests if p == "/rest/posts"]
    assert sent[-2:] == ["Bearer token-of-the-test", "Bearer new"]


# --- refusals ---


async def test_a_limit_of_a_day_ends_at_midnight_utc(source: Source) -> None:
    words = "Resource level throttle APPLICATION_AND_MEMBER DAY limit for calls is reached."
    serve(source, "posts", refused(429, words), status=429)
    with pytest.raises(RateLimited) as caught:
        await source.connector().fetch_page("posts", None)
    until = caught.value.until
    assert until is not None
    assert (until.hour, until.minute, until.tzinfo) == (0, 0, UTC)
    assert timedelta() < until - datetime.now(UTC) <= timedelta(days=1)


async def test_any_other_limit_backs_off_as_usual(source: Source) -> None:
    serve(source, "posts", refused(429, "Too many requests"), status=429)
    with pytest.raises(RateLimited) as caught:
        await source.connector().fetch_page("posts", None)
    assert caught.value.until is None


async def test_a_forbidden_thing_is_a_lacking_right_only_where_linkedin_says_it(
    source: Source,
) -> None:
    serve(source, "posts", refused(403, "Not enough permissions to access: posts"), status=403)
    with pytest.raises(PermissionMissing):
        await source.connector().fetch_page("posts", None)
    serve(source, "posts", {"error": "denied by a proxy"}, status=403)
    with pytest.raises(AuthFailed):
        await source.connector().fetch_page("posts", None)


async def test_a_proxy_that_knows_nothing_proves_no_deletion(source: Source) -> None:
    serve(source, f"socialActions/{POST}/comments/101", {"message": "no route"}, status=404)
    with pytest.raises(BadResponse):
        await source.connector().fetch_item(ANNA)


# --- notifications ---


async def test_notifications_are_asked_for_by_time_with_an_hour_of_overlap(source: Source) -> None:
    since = datetime.now(UTC) - timedelta(days=2)
    await source.connector().fetch_page("notifications", None, since=since)
    first, end = span_of(asked(source, NOTIFICATIONS)[0])
    assert abs(first - (since - timedelta(hours=1)).timestamp() * 1000) < MINUTE
    assert end > datetime.now(UTC).timestamp() * 1000  # what comes in meanwhile is within


def span_of(query: dict[str, list[str]]) -> tuple[int, int]:
    first, end = query["timeRange"][0].strip("()").split(",")
    return int(first.removeprefix("start:")), int(end.removeprefix("end:"))


async def test_no_more_than_sixty_days_are_asked_for(source: Source) -> None:
    since = datetime(2020, 1, 1, tzinfo=UTC)
    await source.connector().fetch_page("notifications", None, since=since)
    first, _ = span_of(asked(source, NOTIFICATIONS)[0])
    longest = (datetime.now(UTC) - timedelta(days=60)).timestamp() * 1000
    assert abs(first - longest) < MINUTE


async def test_a_span_stays_the_same_on_all_of_its_pages(source: Source) -> None:
    """What comes in meanwhile must not push entries from one page to the next."""
    connector = source.connector()
    page = await connector.fetch_page("notifications", None)
    assert page.more
    assert page.oldest_at is None  # in which order they come is not documented
    last = await connector.fetch_page("notifications", page.next_cursor)
    assert (last.more, last.oldest_at) == (False, datetime(2026, 10, 2, 18, tzinfo=UTC))
    spans = {query["timeRange"][0] for query in asked(source, NOTIFICATIONS)}
    assert len(spans) == 1


async def test_a_notification_has_its_post_read_at_once(source: Source) -> None:
    page = await source.connector().fetch_page("notifications", None)
    [parent] = page.parents
    assert (parent.external_id, parent.extra["title"]) == (POST, "Autumn teas are here.")
    assert parent.changed_at == datetime(2026, 10, 1, 12, 10, tzinfo=UTC)  # the latest of three


async def test_a_deletion_is_an_event(source: Source) -> None:
    page = await source.connector().fetch_page("notifications", None)
    assert page.gone == (f"urn:li:comment:({POST},104)",)


async def test_what_is_not_kept_is_counted_by_its_kind(source: Source) -> None:
    page = await source.connector().fetch_page("notifications", LATER)
    assert page.skipped == {"like": 1}
    assert "LIKE" not in asked(source, NOTIFICATIONS)[0]["actions"][0]


def test_an_event_nobody_knows_yet_costs_the_others_nothing() -> None:
    found = events.parse_events(
        [notification("POLL_VOTE"), notification("COMMENT"), {"notificationId": 9}, "x"]
    )
    assert dict(found.skipped) == {"poll_vote": 1}
    assert list(found.parents) == [POST]
    assert [each.external_id for each in found.unparsed] == ["notification:9", None]


def test_a_tag_in_a_comment_is_taken_although_it_is_not_documented() -> None:
    [found] = events.parse_events([notification("COMMENT_MENTION")]).pointed.values()
    assert (found.external_id, found.kind, found.told.parent_external_id) == (
        ANNA,
        Kind.MENTION,
        POST,
    )


LATER = {"start": 4, "from": 1, "to": 2}
MENTION, SHARE = "urn:li:share:8101", "urn:li:share:8102"
BOTH = f"List({MENTION},{SHARE})"


async def test_posts_that_mention_or_share_us_are_asked_for_once_and_together(
    source: Source,
) -> None:
    connector = source.connector()
    for _ in range(2):
        page = await connector.fetch_page("notifications", LATER)
        assert [(one.external_id, one.kind) for one in page.mentions] == [
            (MENTION, Kind.MENTION),
            (SHARE, Kind.SHARE),
        ]
    assert [query["ids"] for query in asked(source, "posts")] == [[BOTH]]


async def test_what_was_read_since_is_not_taken_back_by_a_notification(source: Source) -> None:
    connector = source.connector()
    first = (await connector.fetch_page("notifications", LATER)).mentions[0]
    assert first.raw is not None
    serve(source, f"posts/{MENTION}", {**first.raw, "commentary": "Never mind"})
    await connector.fetch_item(MENTION)
    again = (await connector.fetch_page("notifications", LATER)).mentions[0]
    assert (again.text, again.kind) == ("Never mind", Kind.MENTION)


async def test_what_is_closed_to_us_is_kept_as_far_as_it_is_told(source: Source) -> None:
    serve(source, "posts", refused(403), status=403, ids=BOTH)
    first, second = (await source.connector().fetch_page("notifications", LATER)).mentions
    assert (first.external_id, first.text) == (MENTION, "")
    assert first.author.signals
    assert first.permalink == f"https://www.linkedin.com/feed/update/{MENTION}"
    assert (second.text, second.author.external_id) == ("Worth a try", "urn:li:person:Dana_4")


async def test_a_mention_that_was_deleted_meanwhile_is_gone(source: Source) -> None:
    body = {"results": {}, "errors": {MENTION: {"status": 404}}}
    serve(source, "posts", body, ids=BOTH)
    page = await source.connector().fetch_page("notifications", LATER)
    assert page.gone == (MENTION,)
    assert [one.external_id for one in page.mentions] == [SHARE]


async def test_each_request_is_counted_against_the_budget(source: Source) -> None:
    connector = source.connector()
    assert (await connector.fetch_page("notifications", None)).cost == 2  # whose Page it is, too
    assert (await connector.fetch_page("notifications", None)).cost == 1


# --- comments ---


async def test_our_answer_below_somebody_elses_post_answers_the_mention(source: Source) -> None:
    connector = source.connector()
    found = {
        one.external_id: one
        for page in await everything(connector, "comments")
        for one in page.mentions
    }
    ours = found["urn:li:comment:(urn:li:activity:9101,201)"]
    assert (ours.author.external_id, ours.parent_external_id) == (US, "urn:li:share:8101")
    assert "urn:li:comment:(urn:li:activity:9101,202)" not in found  # of a stranger, to a stranger


async def test_a_comment_elsewhere_keeps_its_conversation_when_it_is_read_alone(
    source: Source,
) -> None:
    connector = source.connector()
    pages = await everything(connector, "comments")
    [ours] = [m for p in pages for m in p.mentions if m.external_id.endswith("9101,201)")]
    assert ours.raw is not None
    serve(source, "socialActions/urn:li:activity:9101/comments/201", ours.raw)
    again = await connector.fetch_item(ours.external_id)
    assert (again.thread.external_id, again.parent_external_id) == (
        ours.thread.external_id,
        ours.parent_external_id,
    )


async def test_a_post_of_others_that_is_closed_to_us_is_no_failure(source: Source) -> None:
    serve(source, "socialActions/urn:li:share:8101/comments", refused(403), status=403)
    connector = source.connector()
    foreign = Parent("urn:li:share:8101", extra={"foreign": True})
    page = await connector.fetch_page("comments", None, parent=foreign)
    assert page.skipped == {"not_shown": 1}
    serve(source, f"socialActions/{POST}/comments", refused(403), status=403)
    with pytest.raises(PermissionMissing):
        await connector.fetch_page("comments", None, parent=Parent(POST))


async def test_answers_are_a_list_of_their_own_that_is_read_to_its_end(source: Source) -> None:
    top = comment(101, commentsSummary={"totalFirstLevelComments": 2})
    serve(source, f"socialActions/{POST}/comments", listed(top))
    serve(source, f"socialActions/{ANNA}/comments", listed(comment(105), total=2), start="1")
    serve(source, f"socialActions/{ANNA}/comments", listed(comment(102), total=2), start="0")
    page = await source.connector().fetch_page("comments", None, parent=Parent(POST))
    assert [one.external_id[-4:] for one in page.mentions] == ["101)", "102)", "105)"]
    assert [one.parent_external_id for one in page.mentions] == [POST, ANNA, ANNA]


async def test_where_nobody_says_how_many_answers_there_are_they_are_asked_for(
    source: Source,
) -> None:
    serve(source, f"socialActions/{POST}/comments", listed(comment(101)))
    await source.connector().fetch_page("comments", None, parent=Parent(POST))
    assert len(asked(source, f"socialActions/{ANNA}/comments")) == 1


async def test_a_comment_deleted_while_it_is_read_costs_the_others_nothing(source: Source) -> None:
    serve(source, f"socialActions/{ANNA}/comments", refused(404), status=404)
    connector = source.connector()
    page = await connector.fetch_page("comments", None, parent=Parent(POST))
    assert [one.external_id for one in page.mentions] == [ANNA]


async def test_a_deleted_post_is_gone(source: Source) -> None:
    serve(source, f"socialActions/{POST}/comments", refused(404), status=404)
    with pytest.raises(Gone):
        await source.connector().fetch_page("comments", None, parent=Parent(POST))


async def test_posts_that_are_not_public_cause_no_events_and_are_watched(source: Source) -> None:
    page = await source.connector().fetch_page("posts", None)
    assert [each.external_id for each in page.parents] == ["urn:li:ugcPost:5002"]


async def test_comments_below_one_post_are_read_again_with_one_request(source: Source) -> None:
    connector = source.connector()
    await connector.fetch_page("posts", None)
    before = len(source.stage.paths)
    page = await connector.fetch_items([ANNA, f"urn:li:comment:({POST},999)"])  # type: ignore[attr-defined]  # it reads many
    assert len(source.stage.paths) - before == 1
    assert page.cost == 1
    assert page.gone == (f"urn:li:comment:({POST},999)",)


@pytest.mark.parametrize("status", [403, [404], None])
async def test_what_a_batch_leaves_out_is_asked_for_by_itself(source: Source, status: Any) -> None:
    """It may be closed to us, which is not the same as deleted."""
    ids, path = f"urn:li:comment:({POST},103)", f"socialActions/{POST}/comments"
    serve(source, path, {"results": {}, "errors": {"103": {"status": status}}}, ids="List(103)")
    serve(source, f"{path}/103", refused(403), status=403)
    page = await source.connector().fetch_items([ids])  # type: ignore[attr-defined]  # it reads many
    assert (page.mentions, page.gone) == ((), ())
    assert [each.external_id for each in page.unparsed] == [ids]


def test_an_edit_is_told_by_the_time_of_the_last_change() -> None:
    later = {"time": 1_790_000_000_000 + 999 * MINUTE}
    first = comments.parse_comment(comment(101), PLACE)
    second = comments.parse_comment(comment(102, lastModified=later), PLACE)
    assert (first.edited_at, second.edited_at) == (
        None,
        datetime.fromtimestamp(later["time"] / 1000, UTC),
    )


def test_people_have_no_names_here() -> None:
    found = comments.parse_comment(comment(101), PLACE).author
    assert (found.external_id, found.display_name) == ("urn:li:person:a-1", "LinkedIn member")
    two = [comments.parse_comment(comment(n, actor=None), PLACE).author for n in (1, 2)]
    assert two[0].external_id != two[1].external_id
    assert two[0].signals


@pytest.mark.parametrize(
    "value",
    [
        {"com.linkedin.common.CompanyAttributedEntity": {"company": "urn:li:company:7001"}},
        {"organization": {"organization": US}},
    ],
)
def test_whom_a_comment_names_is_told_by_its_attributes(value: Any) -> None:
    message = {"text": "Acme, hm?", "attributes": [{"start": 0, "length": 4, "value": value}]}
    assert comments.parse_comment(comment(101, message=message), PLACE).addressed == (US,)


def test_a_comment_without_its_urn_is_named_by_where_it_stands() -> None:
    row = {**comment(101), "commentUrn": None, "object": POST, "id": "101"}
    assert comments.parse_comment(row, PLACE).external_id == ANNA


@pytest.mark.parametrize(
    ("commentary", "text"),
    [
        (r"Hi @[Acme Tea](urn:li:organization:7001)\!", r"Hi Acme Tea\!"),
        (r"{hashtag|\#|tea} \(new\)", "#tea (new)"),
        (r"a \\ b \| c", r"a \ b | c"),
        ("plain", "plain"),
    ],
)
def test_the_marks_of_a_post_are_not_its_text(commentary: str, text: str) -> None:
    assert comments.plain(commentary) == text


@pytest.mark.parametrize(
    ("rows", "paging", "ahead"),
    [
        (0, {"total": 9}, None),
        (3, {}, None),
        (rest.COUNT, {}, rest.COUNT),
        (10, {"count": 10}, 10),
        (3, {"total": 9}, 3),
        (3, {"links": [{"rel": "next", "href": "/x"}]}, 3),
        (3, {"total": True, "count": 0, "links": "x"}, None),
    ],
)
def test_a_list_goes_on_as_long_as_anything_says_so(
    rows: int, paging: dict[str, Any], ahead: int | None
) -> None:
    body = {"elements": [{}] * rows, "paging": paging}
    assert rest.Reply(body, answer=None).ahead == ahead  # type: ignore[arg-type]  # not looked at
