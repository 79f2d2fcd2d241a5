"""Who deals with an item: assigned, claimed, listed, counted, and wanted by two at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.clock import stamp
from app.web.principal import Role
from tests.inbox.test_api import pointers, problem
from tests.service import NOON
from tests.staff import as_person
from tests.world import HOUR, Watched, as_role

QUARTER = timedelta(minutes=15)


@dataclass(slots=True)
class Team:
    """A watched service, and two agents of it."""

    watched: Watched
    mira: httpx.AsyncClient
    ben: httpx.AsyncClient

    async def act(
        self, who: httpx.AsyncClient, number: int, action: str, **body: Any
    ) -> httpx.Response:
        found = await self.watched.item(number)
        return await who.post(f"/api/v1/items/{found['id']}/{action}", json=body)


@pytest.fixture
async def team(watched: Watched) -> AsyncIterator[Team]:
    async with (
        as_person(watched.service, "mira") as mira,
        as_person(watched.service, "Ben") as ben,
    ):
        yield Team(watched, mira, ben)


MIRA = {"id": 2, "name": "mira", "display_name": "Mira"}
BEN = {"id": 3, "name": "Ben", "display_name": "Ben"}


# Assigning


@pytest.mark.parametrize("asked", ["me", "ME", 2, "2", "mira", "MIRA"])
async def test_an_item_is_given_to_a_person_by_id_name_or_as_me(
    team: Team, asked: int | str
) -> None:
    given = (await team.act(team.mira, 1, "assign", assignee=asked)).json()
    assert given["assignee"] == MIRA
    assert (given["status"], given["version"]) == ("unanswered", 2)
    assert (await team.act(team.mira, 1, "assign", assignee=asked)).json() == given
    last = (await team.watched.events(1))[-1]
    assert (last["type"], last["actor"], last["actor_user_id"]) == ("item.assigned", "Mira", 2)
    assert last["details"] == {"assignee": MIRA}
    free = (await team.act(team.ben, 1, "assign", assignee=None)).json()
    assert (free["assignee"], free["version"]) == (None, 3)
    last = (await team.watched.events(1))[-1]
    assert (last["type"], last["details"]) == ("item.unassigned", {"assignee": None})


async def test_an_assignment_survives_a_reply_and_is_there_when_reopened(team: Team) -> None:
    await team.act(team.mira, 1, "assign", assignee="Ben")
    assert (await team.act(team.mira, 1, "mark-replied")).json()["assignee"] == BEN
    assert (await team.act(team.mira, 1, "reopen")).json()["assignee"] == BEN


REFUSED: list[tuple[Any, str]] = [
    ("nobody-here", "unknown_person"),
    (99, "unknown_person"),
    ("9" * 60, "unknown_person"),
    ("none", "unknown_person"),
    ("x" * 61, "person"),
    ("", "person"),
    (True, "person"),
    (0, "person"),
    (1.5, "person"),
    ("a\x00", "bad_character"),
]


async def test_who_is_not_there_can_not_be_given_anything(team: Team) -> None:
    for asked, code in REFUSED:
        told = problem(
            await team.act(team.mira, 1, "assign", assignee=asked), 422, "invalid-request"
        )
        assert pointers(told) == [("/assignee", code)], asked
    told = problem(await team.act(team.mira, 1, "assign"), 422, "invalid-request")
    assert pointers(told) == [("/assignee", "missing")]
    assert (await team.watched.item(1))["version"] == 1


async def test_nobody_is_given_what_they_may_not_see(team: Team) -> None:
    service = team.watched.service
    async with (
        as_person(service, "elsewhere", source_ids=[99]),
        as_person(service, "looker", Role.VIEWER),
    ):
        for number, who, words in (
            (1, "elsewhere", "may not see this source"),
            (3, "looker", "may not see direct messages"),
        ):
            told = await team.act(team.mira, number, "assign", assignee=who)
            refused = problem(told, 422, "invalid-request")
            assert pointers(refused) == [("/assignee", "may_not_see")]
            assert words in refused["detail"]
        seen = await team.act(team.mira, 1, "assign", assignee="looker")
        assert seen.json()["assignee"]["name"] == "looker"
    await team.watched.api.delete("/api/v1/users/3")
    gone = await team.act(team.mira, 1, "assign", assignee="ben")
    assert "disabled" in problem(gone, 422, "invalid-request")["detail"]


async def test_who_sees_some_sources_can_not_learn_who_sees_others(team: Team) -> None:
    service, ours = team.watched.service, team.watched.source_id
    async with (
        as_person(service, "elsewhere", source_ids=[99]),
        as_person(service, "here", source_ids=[ours]) as here,
    ):
        told = problem(
            await team.act(here, 1, "assign", assignee="elsewhere"), 422, "invalid-request"
        )
        assert pointers(told) == [("/assignee", "unknown_person")]
        refused = await here.get("/api/v1/items?assignee=elsewhere")
        assert pointers(problem(refused, 422, "invalid-request")) == [
            ("?assignee", "unknown_person")
        ]


async def test_a_token_of_nobody_is_told_what_helps(team: Team) -> None:
    async with as_role(team.watched.service, Role.AGENT) as integration:
        for action, body, pointer in (
            ("assign", {"assignee": "me"}, "/assignee"),
            ("claim", {}, "#Authorization"),
        ):
            told = problem(await team.act(integration, 1, action, **body), 422, "invalid-request")
            assert pointers(told) == [(pointer, "no_person")]
            assert "PATCH /api/v1/tokens" in told["detail"]
        given = await team.act(integration, 1, "assign", assignee="mira")
        assert given.json()["assignee"] == MIRA


async def test_who_writes_again_is_not_left_to_somebody_who_has_gone(team: Team) -> None:
    world = team.watched.world
    for number, who in ((1, "mira"), (2, "Ben")):
        await team.act(team.mira, number, "assign", assignee=who)
    await team.watched.api.delete("/api/v1/users/3")
    for root in (1, 2):
        world.insert("mentions", NOON, "Hello?", under=root)
    team.watched.clock.move(HOUR)
    await team.watched.poll()
    assert (await team.watched.item(4))["assignee"] == MIRA
    assert (await team.watched.item(5))["assignee"] is None
    assert (await team.watched.events(4))[-1]["details"] == {"assignee": MIRA}


# Claiming


async def test_a_claim_is_held_renewed_and_ends_by_itself(team: Team) -> None:
    held = (await team.act(team.mira, 1, "claim")).json()
    assert held["claim"] == {"by": MIRA, "until": stamp(NOON + QUARTER)}
    assert "release" in held["allowed_actions"]
    assert (await team.act(team.mira, 1, "claim")).json() == held
    team.watched.clock.move(timedelta(minutes=5))
    renewed = (await team.act(team.mira, 1, "claim")).json()
    assert renewed["claim"]["until"] == stamp(NOON + timedelta(minutes=20))
    team.watched.clock.move(QUARTER)
    over = await team.watched.item(1)
    assert over["claim"] is None
    assert "release" not in over["allowed_actions"]
    assert (await team.act(team.ben, 1, "claim")).json()["claim"]["by"] == BEN


async def test_anothers_claim_is_refused_with_holder_and_end(team: Team) -> None:
    held = (await team.act(team.mira, 1, "claim")).json()
    for action in ("claim", "release"):
        told = problem(await team.act(team.ben, 1, action), 409, "conflict")
        assert told["detail"].startswith("Mira holds this item until 12:15 UTC.")
        assert told["claim"] == held["claim"]
        assert told["current_status"] == "unanswered"
        assert told["allowed_actions"] == held["allowed_actions"]
    taken = (await team.act(team.ben, 1, "claim", force=True)).json()
    assert taken["claim"]["by"] == BEN
    ended = (await team.act(team.mira, 1, "release", force=True)).json()
    assert ended["claim"] is None
    types = [(e["type"], e["actor"]) for e in (await team.watched.events(1))[1:]]
    assert types == [("item.claimed", "Mira"), ("item.claimed", "Ben"), ("item.released", "Mira")]


async def test_a_claim_ends_with_the_waiting(team: Team) -> None:
    await team.act(team.mira, 1, "claim")
    assert (await team.act(team.ben, 1, "mark-replied")).json()["claim"] is None
    told = problem(await team.act(team.mira, 1, "claim"), 409, "conflict")
    assert told["changed"] == {"by": "Ben", "type": "item.replied", "at": stamp(NOON)}
    assert "Ben" in told["detail"]
    released = await team.act(team.mira, 1, "release")
    assert released.status_code == 200
    assert released.json()["version"] == 3


# Two people, one item


async def test_of_two_who_claim_at_once_one_wins_and_the_other_is_told_whom(team: Team) -> None:
    for number in (1, 2, 3):
        answered = await asyncio.gather(
            *(team.act(who, number, "claim") for who in (team.mira, team.ben) * 3)
        )
        won = {each.json()["claim"]["by"]["name"] for each in answered if each.status_code == 200}
        (winner,) = won
        for each in answered:
            if each.status_code != 200:
                told = problem(each, 409, "conflict")
                assert (told["claim"]["by"]["name"], told["claim"]["until"]) == (
                    winner,
                    stamp(NOON + QUARTER),
                )
        assert [each.status_code for each in answered].count(200) == 3
        assert [e["type"] for e in await team.watched.events(number)][1:] == ["item.claimed"]


async def test_of_two_with_the_same_version_one_wins_and_the_other_is_told_who_and_when(
    team: Team,
) -> None:
    for number, action, body in (
        (1, "mark-replied", {}),
        (2, "assign", {"assignee": "me"}),
        (3, "dismiss", {"reason": "duplicate"}),
    ):
        found = await team.watched.item(number)
        path = f"/api/v1/items/{found['id']}/{action}"
        headers = {"If-Match": f'"v{found["version"]}"'}
        answered = await asyncio.gather(
            *(who.post(path, json=body, headers=headers) for who in (team.mira, team.ben) * 2)
        )
        assert sorted(each.status_code for each in answered) == [200, 412, 412, 412]
        now = await team.watched.item(number)
        by = (await team.watched.events(number))[-1]["actor"]
        assert by in {"Mira", "Ben"}
        for each in answered:
            if each.status_code == 412:
                told = problem(each, 412, "version-mismatch")
                assert told["current"] == now
                assert told["changed"]["by"] == by
                assert told["changed"]["at"] == stamp(NOON)
                assert by in told["detail"]


async def test_without_a_version_the_second_of_two_hears_what_the_first_did(team: Team) -> None:
    answered = await asyncio.gather(
        team.act(team.mira, 1, "mark-replied"),
        team.act(team.ben, 1, "dismiss", reason="duplicate"),
    )
    codes = [each.status_code for each in answered]
    assert codes in ([200, 409], [200, 200])  # what was dismissed may be marked replied
    if codes == [200, 409]:
        told = problem(answered[1], 409, "conflict")
        assert (told["current_status"], told["changed"]["by"]) == ("replied", "Mira")
    assert (await team.watched.item(1))["status"] == "replied"


# Lists and counts


async def test_lists_are_narrowed_to_mine_to_nobodys_and_to_a_persons(team: Team) -> None:
    await team.act(team.mira, 1, "assign", assignee="me")
    await team.act(team.mira, 2, "assign", assignee="Ben")

    async def listed(who: httpx.AsyncClient, assignee: str, **more: str) -> list[str]:
        answered = await who.get("/api/v1/items", params={"assignee": assignee, **more})
        assert answered.status_code == 200, answered.text
        return [each["external_id"] for each in answered.json()["items"]]

    assert await listed(team.mira, "me") == ["1"]
    assert await listed(team.ben, "me") == ["2"]
    assert await listed(team.mira, "BEN") == ["2"]
    assert await listed(team.mira, "3") == ["2"]
    assert await listed(team.mira, "none") == ["3"]
    await team.act(team.mira, 1, "mark-replied")
    assert await listed(team.mira, "me") == []
    assert await listed(team.mira, "me", status="any") == ["1"]
    refused = await team.mira.get("/api/v1/items?assignee=zoe")
    assert pointers(problem(refused, 422, "invalid-request")) == [("?assignee", "unknown_person")]
    refused = await team.watched.api.get("/api/v1/items?assignee=me")
    assert pointers(problem(refused, 422, "invalid-request")) == [("?assignee", "no_person")]


async def test_a_cursor_of_mine_is_not_a_cursor_of_yours(team: Team) -> None:
    for number in (1, 2):
        await team.act(team.mira, number, "assign", assignee="me")
    page = (await team.mira.get("/api/v1/items?assignee=me&limit=1")).json()
    query = f"/api/v1/items?assignee=me&limit=1&cursor={page['next_cursor']}"
    assert [i["external_id"] for i in (await team.mira.get(query)).json()["items"]] == ["2"]
    refused = await team.ben.get(query)
    assert pointers(problem(refused, 422, "invalid-request")) == [("?cursor", "invalid_cursor")]


async def test_counts_tell_who_has_how_many_by_name_also_of_who_left(team: Team) -> None:
    for number, who in ((1, "mira"), (2, "mira"), (3, "Ben")):
        await team.act(team.mira, number, "assign", assignee=who)
    await team.watched.api.delete("/api/v1/users/3")
    counts = (await team.mira.get("/api/v1/counts")).json()
    assert counts["by_assignee"] == [
        {"assignee": MIRA, "unanswered": 2},
        {"assignee": BEN, "unanswered": 1},
    ]
    async with as_role(team.watched.service, Role.VIEWER) as viewer:  # sees no direct message
        counts = (await viewer.get("/api/v1/counts")).json()
    assert [each["unanswered"] for each in counts["by_assignee"]] == [2]


async def test_viewers_neither_assign_nor_claim(team: Team) -> None:
    async with as_person(team.watched.service, "looker", Role.VIEWER) as looker:
        for action, body in (("assign", {"assignee": "me"}), ("claim", {}), ("release", {})):
            problem(await team.act(looker, 1, action, **body), 403, "not-allowed")
