"""`audit`: who did what, as a table, as JSON, as a file."""

from __future__ import annotations

from typing import Any

from tests.cli.conftest import Shell
from tests.cli.service import Service

ROW: dict[str, Any] = {
    "id": 9,
    "at": "2026-11-23T11:59:00.000Z",
    "actor": {"kind": "user", "id": 3, "name": "Mira\x1b[2J"},
    "address": "192.0.2.7",
    "operation": "delete_token",
    "outcome": "done",
    "object": "token:7",
}
NOBODY = ROW | {
    "actor": {"kind": "nobody", "id": None, "name": ""},
    "address": None,
    "object": None,
}


async def test_the_trail_is_a_table_without_control_characters(
    shell: Shell, service: Service
) -> None:
    service.on("GET /audit", {"items": [ROW, NOBODY], "next_cursor": None})
    told = await shell.run("audit", "--actor", "user:3", "--object", "token:7", "--limit", "2")
    _, first, second = told.out.splitlines()
    assert "(user:3)" in first
    assert "delete_token" in first
    assert "\x1b" not in told.out
    assert second.split()[-4:] == ["-", "done", "delete_token", "-"]
    asked = service.calls("GET /audit")[0].query
    assert dict(asked) == {"actor": "user:3", "object": "token:7", "limit": "2"}
    assert (await shell.run("audit", "--json")).json()["items"] == [ROW, NOBODY]


async def test_nothing_that_fits_is_said(shell: Shell, service: Service) -> None:
    service.on("GET /audit", {"items": [], "next_cursor": None})
    assert (await shell.run("audit", "--outcome", "denied")).out == "Nothing fits.\n"
