"""What real platforms really answered, read by the running service: nothing lost, nothing twice."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.team.repository import NewToken
from app.team.service import create_token
from app.web.principal import Role
from tests import real_bluesky, real_mastodon, real_sample
from tests.long_results import part
from tests.real_input import Case, inbox, read
from tests.recorded import recordings
from tests.service import BASE, Service, running_service

A_FEW = {
    "bigbone:notifications.json#0",
    "cassettes:test_home_tl#1",
    "cassettes_entity_tests:test_entity_conversation#0",
    "rtoot:get_account_statuses_limit#2",
    "bskyr:n_notifications#0",
    "bsnap:notifications.test.ts.snap#2",
    "bsnap:blocks.test.ts.snap#2",
    "bsnap:timeline.test.ts.snap#3",
}


async def assert_stored(service: Service, cases: Sequence[Case]) -> None:
    assert cases
    assert await read(service, cases) == {case.key: case.kept for case in cases}


@recordings
async def test_recorded_answers_of_mastodon_are_stored_once_each(
    sqlite_url: str, tmp_path: Path
) -> None:
    """Every fourth one; the long form takes all."""
    async with running_service(sqlite_url, tmp_path / "data") as service:
        await assert_stored(service, real_mastodon.recorded_cases()[::4])


@pytest.mark.long
@recordings
async def test_all_recorded_answers_of_mastodon_are_stored_once_each(
    sqlite_url: str, tmp_path: Path
) -> None:
    with part("recorded answers of Mastodon") as figures:
        cases = real_mastodon.recorded_cases()
        async with running_service(sqlite_url, tmp_path / "data") as service:
            await assert_stored(service, cases)
        figures["answers"] = len(cases)


@recordings
async def test_recorded_answers_of_bluesky_are_stored_once_each(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with running_service(sqlite_url, tmp_path / "data") as service:
        await assert_stored(service, real_bluesky.recorded_cases())


@recordings
async def test_some_recorded_answers_are_stored_on_postgresql_too(
    postgres_url: str, tmp_path: Path
) -> None:
    every = [*real_mastodon.recorded_cases(), *real_bluesky.recorded_cases()]
    some = [case for case in every if case.key in A_FEW]
    assert len(some) == len(A_FEW)
    async with running_service(postgres_url, tmp_path / "data") as service:
        await assert_stored(service, some)


@recordings
@pytest.mark.parametrize("platform", [real_mastodon, real_bluesky], ids=["mastodon", "bluesky"])
def test_every_recorded_answer_with_messages_is_played(platform: Any) -> None:
    """Or is named as one that is not, with the reason."""
    played = {case.key for case in platform.recorded_cases()}
    assert not platform.with_messages() - played - platform.LEFT_OUT.keys()
    assert not platform.LEFT_OUT.keys() & played


async def test_answers_of_the_same_shapes_are_stored_once_each(service: Service) -> None:
    await assert_stored(service, real_sample.cases())


async def test_direct_messages_are_kept_from_a_viewer(service: Service) -> None:
    cases = real_sample.cases()
    await assert_stored(service, cases)
    wall = NewToken(name="wall", role=Role.VIEWER, created_by="token:1")
    async with service.db.write() as tx:
        made = await create_token(tx, wall, now=service.clock.now(), random=secrets.token_bytes)
    headers = {"Authorization": f"Bearer {made[1]}"}
    transport = httpx.ASGITransport(service.app)
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as viewer:
        seen = Service(service.app, viewer, service.anonymous, service.clock)
        sources = (await viewer.get("/api/v1/sources")).json()["items"]
        for source in sources:
            [case] = [one for one in cases if one.key == source["name"]]
            shown = {one["external_id"] for one in await inbox(seen, source["id"])}
            assert shown == case.kept.items.keys() - case.kept.direct
            for one in await inbox(service, source["id"]):
                hidden = one["visibility"] == "direct"
                answered = await viewer.get(f"/api/v1/items/{one['id']}")
                assert answered.status_code == (404 if hidden else 200)
    assert any(case.kept.direct for case in cases)
