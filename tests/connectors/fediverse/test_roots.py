"""One conversation has one name, by whichever stream a message came."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.connectors.base import Kind, Mention, Parent
from app.connectors.failures import Transient
from tests.connectors.fake_mastodon import START, US, FakeMastodon, at, mention, status
from tests.connectors.reading_mastodon import connected, ids, whole


def conversation(fake: FakeMastodon) -> None:
    """1 (theirs) ← 2 (ours) ← 3 (theirs, names us) and 2 ← 4 (theirs, names nobody)."""
    fake.add(
        status("1", "7", minutes=1),
        status(
            "2",
            US,
            minutes=2,
            in_reply_to_id="1",
            in_reply_to_account_id="7",
            replies_count=2,
            mentions=[],
        ),
        status("3", "7", minutes=3, in_reply_to_id="2", in_reply_to_account_id=US),
        status("4", "8", minutes=4, in_reply_to_id="2", in_reply_to_account_id=US, mentions=[]),
    )
    fake.notifications = [mention("11", fake.statuses["1"]), mention("13", fake.statuses["3"])]
    fake.own = [fake.statuses["2"]]


async def test_a_conversation_has_one_name_by_whichever_route_a_message_came() -> None:
    fake = FakeMastodon()
    conversation(fake)
    seen: list[Mention] = []
    async with connected(fake) as connector:
        seen += (await whole(connector, "notifications"))[0]
    async with connected(fake) as connector:  # nothing remembered
        own = await connector.fetch_page("own_posts", None)
        seen += own.mentions
    async with connected(fake) as connector:
        seen += (await connector.fetch_page("threads", None, parent=own.parents[0])).mentions
        seen += (await connector.fetch_page("threads", None, parent=Parent("2"))).mentions
        seen += (await connector.fetch_thread("1")).mentions
        seen.append(await connector.fetch_item("4"))
    assert {each.external_id for each in seen} == {"1", "2", "3", "4"}
    assert {each.thread.external_id for each in seen} == {"1"}


async def test_a_reply_without_mention_notifies_nobody_and_is_found_below_our_post() -> None:
    fake = FakeMastodon()
    conversation(fake)
    async with connected(fake) as connector:
        notified, _, _ = await whole(connector, "notifications")
        own = await connector.fetch_page("own_posts", None)
        below = await connector.fetch_page("threads", None, parent=own.parents[0])
    assert "4" not in ids(notified)
    found = {each.external_id: each for each in below.mentions}
    assert found["4"].kind is Kind.REPLY
    assert found["4"].parent_external_id == "2"


async def test_the_conversation_of_a_reply_costs_one_request_for_all_its_messages() -> None:
    fake = FakeMastodon()
    conversation(fake)
    fake.notifications.append(mention("14", fake.statuses["4"]))
    async with connected(fake) as connector:
        await whole(connector, "notifications")
    contexts = [path for path, _ in fake.requests if path.endswith("/context")]
    assert contexts == ["/api/v1/statuses/3/context"]  # it told of 4 as well


async def test_a_parent_that_the_server_does_not_show_names_the_conversation_for_all_below_it() -> (
    None
):
    fake = FakeMastodon()
    for number in ("21", "22"):
        inner = status(number, in_reply_to_id="20", in_reply_to_account_id="9")
        fake.add(inner)
        fake.notifications.append(mention(f"3{number}", inner))
    async with connected(fake) as connector:
        mentions, _, _ = await whole(connector, "notifications")
    assert {each.thread.external_id for each in mentions} == {"20"}


async def test_a_reply_deleted_between_list_and_context_keeps_its_page() -> None:
    fake = FakeMastodon()
    fake.notifications = [mention("1", status("21", in_reply_to_id="20"))]
    async with connected(fake) as connector:
        mentions, _, _ = await whole(connector, "notifications")
    assert mentions[0].thread.external_id == "20"


async def test_our_own_posts_come_as_messages_and_as_parents_to_watch() -> None:
    fake = FakeMastodon()
    conversation(fake)
    quiet = status("5", US, in_reply_to_id="1", in_reply_to_account_id="7")
    root = status("6", US, mentions=[], replies_count=0, edited_at=at(9))
    boost = status("7", US) | {"reblog": status("1")}
    fake.add(quiet, root)
    fake.own += [quiet, root, boost]
    async with connected(fake) as connector:
        page = await connector.fetch_page("own_posts", None)
    assert ids(page.mentions) == ["6", "5", "2"]
    assert {each.author.external_id for each in page.mentions} == {US}
    assert page.mentions[2].parent_external_id == "1"  # the native answer, exact
    assert [(p.external_id, p.counter, p.changed_at) for p in page.parents] == [
        ("6", 0, START + timedelta(minutes=9)),
        ("2", 2, None),
    ]
    assert dict(page.skipped) == {"reblog": 1}
    assert fake.asked(f"/api/v1/accounts/{US}/statuses")[0]["exclude_reblogs"] == ["true"]


async def test_own_posts_are_walked_to_their_end() -> None:
    fake = FakeMastodon()
    fake.own = [status(str(n), US, minutes=n) for n in range(1, 46)]
    async with connected(fake) as connector:
        mentions, _, _ = await whole(connector, "own_posts")
    assert len(set(ids(mentions))) == 45


@pytest.mark.parametrize("answer", [(404, {}, {}), (200, {}, "<html>"), (200, {}, [])])
async def test_a_context_that_cannot_be_read_leaves_the_parent_as_the_conversation(
    answer: tuple[int, dict[str, str], Any],
) -> None:
    fake = FakeMastodon()
    fake.notifications = [mention("1", status("21", in_reply_to_id="20"))]
    fake.answers["/api/v1/statuses/21/context"] = answer
    async with connected(fake) as connector:
        mentions, _, _ = await whole(connector, "notifications")
    assert mentions[0].thread.external_id == "20"


async def test_a_context_that_always_fails_does_not_hold_up_its_page_for_ever() -> None:
    fake = FakeMastodon()
    fake.links = False
    fake.notifications = [mention("1", status("21", in_reply_to_id="20"))]
    fake.answers["/api/v1/statuses/21/context"] = (500, {}, {"error": "Something went wrong"})
    async with connected(fake) as connector:
        for _ in range(2):
            with pytest.raises(Transient):
                await whole(connector, "notifications")
        mentions, _, _ = await whole(connector, "notifications")
    assert mentions[0].thread.external_id == "20"
