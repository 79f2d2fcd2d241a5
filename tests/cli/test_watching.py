"""`watch`: one line an event, on after a cut, clean at Ctrl-C."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.cli.conftest import Shell
from tests.cli.service import TOKEN, Service, item, problem
from tests.serving import serving

AT = "2026-11-23T14:02:11.000Z"


def event(seq: int, kind: str = "item.replied", **given: Any) -> dict[str, Any]:
    return {
        "id": f"evt_{seq}", "seq": seq, "at": AT, "type": kind, "item_id": 7, "source_id": 1,
        "actor_kind": "person", "actor": "Zo\u00eb\x1b[2J", "details": None, **given,
    }  # fmt: skip


def message(told: dict[str, Any]) -> bytes:
    return f"id: {told['seq']}\nevent: {told['type']}\ndata: {json.dumps(told)}\n\n".encode()


class Streaming(Service):
    """The small service with a stream: `parts` are sent, one list for each connection."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[list[bytes]] = []
        self.resumed: list[str | None] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].endswith("/events/stream"):
            await super().__call__(scope, receive, send)
            return
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        assert headers["authorization"] == f"Bearer {TOKEN}"
        self.resumed.append(headers.get("last-event-id"))
        if not self.parts:
            self.on("GET /events/stream", problem(429, "too-many-requests", "Too many", "Wait."))
            await super().__call__(scope, receive, send)
            return
        start = {"type": "http.response.start", "status": 200, "headers": []}
        await send(start)
        for part in self.parts.pop(0):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
async def streaming(shell: Shell) -> AsyncIterator[Streaming]:
    app = Streaming()
    async with serving(app) as url:
        shell.know(url)
        yield app


async def test_events_are_lines_and_a_cut_is_made_good(shell: Shell, streaming: Streaming) -> None:
    streaming.on("GET /items/7", item(7, text="Where\x1b[2J is it?"))
    streaming.parts = [
        [b"retry: 3000\n\n", message(event(5, "item.created", actor_kind="poller"))],
        [b": still here\nid: 9\n\n", message(event(10)), b'event: bye\ndata: {"reason":"x"}\n\n'],
    ]
    result = await shell.run("watch")
    first, second = result.out.splitlines()
    assert first.endswith("item.created 7 @ann@example.social: Where is it?")
    assert second.endswith("item.replied 7 by Zo\u00eb")
    assert streaming.resumed == [None, "5", "10"]
    assert result.code == 1, "a refusal ends it"
    assert "Too many: Wait." in result.err


async def test_json_is_one_event_a_line(shell: Shell, streaming: Streaming) -> None:
    streaming.parts = [[message(event(5)), message(event(6))]]
    result = await shell.run("watch", "--json", "--after", "4", "--type", "item.replied")
    assert [json.loads(line)["seq"] for line in result.out.splitlines()] == [5, 6]
    assert "\x1b" not in result.out
    assert streaming.resumed[0] == "4"
