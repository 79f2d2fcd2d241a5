"""Live events by cookie: heard like with a token, and over when the session is."""

from __future__ import annotations

import httpx

from tests.browsing import signed_in
from tests.outbox.reading import PATIENCE, Listening, served
from tests.outbox.test_events import about, record_all
from tests.service import Service


async def test_a_stream_by_cookie_ends_with_its_session(sqlite_service: Service) -> None:
    async with (
        served(sqlite_service) as base,
        signed_in(sqlite_service, "mira") as mira,
        httpx.AsyncClient(timeout=PATIENCE, verify=False) as client,
    ):
        cookie = {"Cookie": f"unanswered={mira.cookies['unanswered']}"}
        url = f"{base}/api/v1/events/stream"
        async with client.stream("GET", url, headers=cookie) as answered:
            stream = Listening(answered)
            await stream.opened()
            await record_all(sqlite_service.db, about(1, 1))
            (heard,) = await stream.some(1)
            assert heard.data["source_id"] == 1
            assert (await mira.delete("/api/v1/session")).status_code == 204
            ended = await stream.heard()
            assert ended is not None
            assert (ended.type, ended.data) == ("bye", {"reason": "signed_out"})
        again = await client.get(url, headers=cookie)
        assert again.status_code == 401
