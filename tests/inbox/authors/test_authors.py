"""People over HTTP: history as far as the caller may see it, muting, notes, erasing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.connectors.base import Visibility
from app.web.principal import Right, Role
from tests.inbox.pages import Inbox, add_source, answers, said
from tests.inbox.test_api import problem
from tests.service import NOON, Service
from tests.world import Watched, as_role

AUTHORS = "/api/v1/authors"


@pytest.fixture
async def inbox(service: Service) -> Inbox:
    return Inbox(service.db, await add_source(service.db))


async def filled(inbox: Inbox) -> int:
    """Ann asked four things: answered after 10 and 30 min, one waits, one is direct."""
    await inbox.take(
        said("a1", 0, thread="t1"),
        answers("r1", 10, "a1", thread="t1"),
        said("a2", 20, thread="t2"),
        answers("r2", 50, "a2", thread="t2"),
        said("a3", 60, thread="t3"),
        said("a4", 70, thread="t4", visibility=Visibility.DIRECT),
        said("b1", 5, "bob", thread="t5"),
    )
    return int((await inbox.item("a1")).author_id)


async def test_an_author_has_a_history_with_us(service: Service, inbox: Inbox) -> None:
    author_id = await filled(inbox)
    found = (await service.api.get(f"{AUTHORS}/{author_id}")).json()
    assert found["handle"] == "ann@here"
    history = found["history"]
    assert {name: history[name] for name in ("messages", "asked", "answered", "waiting")} == {
        "messages": 4, "asked": 4, "answered": 2, "waiting": 2,
    }  # fmt: skip
    assert history["median_answer_seconds"] == 20 * 60
    assert history["negative_answer_times"] == 0
    assert (history["first_at"], history["last_at"]) == (
        "2026-11-23T10:00:00.000Z", "2026-11-23T11:10:00.000Z",
    )  # fmt: skip
    assert [each["external_id"] for each in found["recent"]] == ["a4", "a3", "a2", "a1"]
    assert [each["asked"] for each in found["by_source"]] == [4]
    assert (found["muted"], found["muted_at"], found["notes"]) == (False, None, "")


async def test_an_answer_from_before_its_message_is_counted_apart(
    service: Service, inbox: Inbox
) -> None:
    """A server whose clock is wrong: the link proves the answer, the time is no measure."""
    await inbox.take(said("a1", 30), answers("r1", 20, "a1"))
    await inbox.take(said("a2", 40, thread="t2"), answers("r2", 43, "a2", thread="t2"))
    author_id = (await inbox.item("a1")).author_id
    history = (await service.api.get(f"{AUTHORS}/{author_id}")).json()["history"]
    assert (history["answered"], history["negative_answer_times"]) == (2, 1)
    assert history["median_answer_seconds"] == 180


async def test_a_caller_sees_of_a_person_what_he_may_see(service: Service, inbox: Inbox) -> None:
    author_id = await filled(inbox)
    other = Inbox(service.db, await add_source(service.db, name="other"))
    await other.take(said("o1", 80), said("c1", 81, "carl"))
    async with as_role(service, Role.VIEWER) as viewer:
        found = (await viewer.get(f"{AUTHORS}/{author_id}")).json()
        assert (found["history"]["asked"], found["history"]["waiting"]) == (4, 2)
        assert "a4" not in {each["external_id"] for each in found["recent"]}
    async with as_role(service, Role.VIEWER, Right.DIRECT) as viewer:
        assert (await viewer.get(f"{AUTHORS}/{author_id}")).json()["history"]["asked"] == 5
    allowed = frozenset({inbox.source_id})
    carl = (await other.item("c1")).author_id
    async with as_role(service, Role.ADMIN, source_ids=allowed) as limited:
        found = (await limited.get(f"{AUTHORS}/{author_id}")).json()
        assert (found["history"]["asked"], len(found["by_source"])) == (4, 1)
        problem(await limited.get(f"{AUTHORS}/{carl}"), 404, "not-found")
        muting = await limited.patch(f"{AUTHORS}/{carl}", json={"muted": True})
        problem(muting, 404, "not-found")
        listed = (await limited.get(AUTHORS)).json()["items"]
        assert {each["handle"] for each in listed} == {"ann@here", "bob@here"}
        refused = await limited.delete(f"{AUTHORS}/{author_id}/data")
        problem(refused, 403, "not-allowed")


async def test_an_author_of_direct_messages_alone_is_hidden_from_a_viewer(
    service: Service, inbox: Inbox
) -> None:
    await inbox.take(said("d1", 1, "dora", visibility=Visibility.DIRECT))
    author_id = (await inbox.item("d1")).author_id
    async with as_role(service, Role.VIEWER) as viewer:
        problem(await viewer.get(f"{AUTHORS}/{author_id}"), 404, "not-found")
        assert (await viewer.get(AUTHORS)).json()["items"] == []


async def test_muting_takes_what_comes_later_for_spam_and_unmuting_ends_it(
    service: Service, inbox: Inbox
) -> None:
    author_id = await filled(inbox)
    url = f"{AUTHORS}/{author_id}"
    first = await service.api.get(url)
    muted = await service.api.patch(
        url, json={"muted": True}, headers={"If-Match": first.headers["etag"]}
    )
    assert (muted.status_code, muted.json()["muted"]) == (200, True)
    assert muted.headers["etag"] == '"v2"'
    again = await service.api.patch(url, json={"muted": True})
    assert again.json()["version"] == 2
    await inbox.take(said("a5", 90, thread="t6"))
    assert (await inbox.item("a5")).status == "spam"
    assert (await inbox.item("a3")).status == "unanswered"
    heard = await service.api.patch(url, json={"muted": False})
    assert (heard.json()["muted"], heard.json()["muted_at"]) == (False, None)
    await inbox.take(said("a6", 91, thread="t7"))
    assert (await inbox.item("a6")).status == "unanswered"
    told = [e for e in await inbox.events() if e.type.startswith("author.")]
    assert [(e.type, e.details) for e in told] == [
        ("author.muted", {"author_id": author_id}),
        ("author.unmuted", {"author_id": author_id}),
    ]


async def test_notes_are_kept_and_taken_away(service: Service, inbox: Inbox) -> None:
    url = f"{AUTHORS}/{await filled(inbox)}"
    noted = await service.api.patch(url, json={"notes": "Bought a teapot."})
    assert noted.json()["notes"] == "Bought a teapot."
    stale = await service.api.patch(url, json={"notes": "x"}, headers={"If-Match": '"v1"'})
    assert problem(stale, 412, "version-mismatch")["current"]["notes"] == "Bought a teapot."
    assert (await service.api.patch(url, json={"notes": ""})).json()["notes"] == ""
    wrong = await service.api.patch(url, json={"notes": "x" * 10_001})
    problem(wrong, 422, "invalid-request")


async def test_people_are_found_by_how_their_handle_begins(service: Service, inbox: Inbox) -> None:
    names = ("anna", "Annette", "an%a", "an_b", "bert")
    await inbox.take(*(said(f"m{n}", n, name) for n, name in enumerate(names)))

    async def found(**params: Any) -> list[str]:
        listed = await service.api.get(AUTHORS, params=params)
        return sorted(each["display_name"] for each in listed.json()["items"])

    assert await found(handle="@ANN") == ["Anna", "Annette"]
    assert await found(handle="an%") == ["An%A"]
    assert await found(handle="an_") == ["An_B"]
    assert await found(handle="x") == []
    assert len(await found()) == 5
    assert await found(platform="bluesky") == []
    author_id = (await inbox.item("m4")).author_id
    await service.api.patch(f"{AUTHORS}/{author_id}", json={"muted": True})
    assert await found(muted="true") == ["Bert"]


async def test_pages_of_people_are_whole(service: Service, inbox: Inbox) -> None:
    await inbox.take(*(said(f"m{n}", n, f"p{n:02}") for n in range(7)))
    url, seen = f"{AUTHORS}?limit=3", []
    while url:
        answered = await service.api.get(url)
        seen += [each["handle"] for each in answered.json()["items"]]
        url = answered.links.get("next", {}).get("url", "")
    assert seen == sorted(seen)
    assert len(set(seen)) == 7


async def test_an_admin_erases_a_person(service: Service, inbox: Inbox) -> None:
    url = f"{AUTHORS}/{await filled(inbox)}"
    dry = (await service.api.delete(f"{url}/data?dry_run=true")).json()
    assert (dry["dry_run"], dry["items"]) == (True, 4)
    done = (await service.api.delete(f"{url}/data")).json()
    assert done == {**dry, "dry_run": False}
    problem(await service.api.get(url), 404, "not-found")
    problem(await service.api.delete(f"{url}/data"), 404, "not-found")
    counts = (await service.api.get("/api/v1/counts")).json()
    assert (counts["total"], counts["unanswered"]["total"]) == (1, 1)


async def test_times_of_a_person_are_the_platforms(service: Service, inbox: Inbox) -> None:
    inbox.now = NOON + timedelta(days=3)
    await inbox.take(said("a1", 0))
    author_id = (await inbox.item("a1")).author_id
    history = (await service.api.get(f"{AUTHORS}/{author_id}")).json()["history"]
    assert history["first_at"] == history["last_at"] == "2026-11-23T10:00:00.000Z"


async def test_a_poll_tells_what_it_left_out(watched: Watched) -> None:
    """An erased person writes again: no silent gap, the run counts it."""
    author_id = (await watched.item(1))["author"]["id"]
    erased = await watched.api.delete(f"{AUTHORS}/{author_id}/data")
    assert erased.status_code == 200, erased.text
    assert [each["author"]["id"] for each in await watched.service.items()].count(author_id) == 0
    before = len(await watched.service.items(status="any"))
    watched.world.insert("mentions", NOON, "It is me again")
    run = await watched.poll()
    assert run["erased"] >= 1
    assert len(await watched.service.items(status="any")) == before
