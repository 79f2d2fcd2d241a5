"""`webhooks`: made, listed, tested, removed, and what became of the deliveries."""

from __future__ import annotations

from typing import Any

from tests.cli.conftest import Shell
from tests.cli.service import AS_OF, Answer, Service

REFUSED = {"code": "refused", "detail": "The receiver answered with status 503.\x1b[2J"}


def webhook(**given: Any) -> dict[str, Any]:
    return {
        "id": 3, "url": "https://desk.example/", "types": None, "enabled": True, "pending": 2,
        "disabled_reason": None, "last_ok_at": None, "error": REFUSED, **given,
    }  # fmt: skip


async def test_webhooks_are_listed_with_their_trouble(shell: Shell, service: Service) -> None:
    off = webhook(id=4, enabled=False, disabled_reason="gone", error=None, types=["item.spam"])
    service.on("GET /webhooks", {"items": [webhook(), off], "next_cursor": None})
    result = await shell.run("webhooks", "list")
    _, first, second = result.out.splitlines()
    assert first.endswith("The receiver answered with status 503.")
    assert "off (gone)" in second
    assert "item.spam" in second
    assert "\x1b" not in result.out
    assert len((await shell.run("webhooks", "list", "--json")).json()["items"]) == 2


async def test_the_secret_is_told_when_one_is_made(shell: Shell, service: Service) -> None:
    service.on("POST /webhooks", Answer({"secret": "whsec_x", "webhook": webhook()}, 201))
    result = await shell.run("webhooks", "add", "https://desk.example/", "--type", "item.spam")
    assert "whsec_x" in result.out
    assert service.calls("POST /webhooks")[0].body == {
        "url": "https://desk.example/",
        "types": ["item.spam"],
        "source_ids": None,
        "direct": False,
        "description": "",
    }


async def test_a_test_that_fails_is_exit_code_1(shell: Shell, service: Service) -> None:
    good = {"ok": True, "message_id": "m", "status": 204, "error": None, "milliseconds": 8}
    bad = {**good, "ok": False, "status": 503, "error": REFUSED}
    service.on("POST /webhooks/3/test", good, bad, bad)
    assert "Received: status 204 after 8 ms." in (await shell.run("webhooks", "test", "3")).out
    failed = await shell.run("webhooks", "test", "3")
    assert (failed.code, "status 503." in failed.err) == (1, True)
    told = await shell.run("webhooks", "test", "3", "--json")
    assert (told.code, '"ok": false' in told.out) == (1, True)


async def test_one_is_removed_and_deliveries_are_listed(shell: Shell, service: Service) -> None:
    service.on("DELETE /webhooks/3", Answer(None, 204))
    assert "Webhook 3 is removed." in (await shell.run("webhooks", "remove", "3")).out
    delivery = {
        "id": 70, "webhook_id": 3, "seq": 9, "type": "item.spam", "state": "dead", "attempts": 10,
        "due_at": None, "error": REFUSED, "created_at": AS_OF,
    }  # fmt: skip
    service.on("GET /deliveries", {"items": [delivery], "next_cursor": None})
    result = await shell.run("webhooks", "deliveries", "--webhook", "3", "--state", "dead")
    assert "dead" in result.out.splitlines()[1]
    query = dict(service.calls("GET /deliveries")[0].query)
    assert query == {"webhook_id": "3", "state": "dead", "limit": "50"}
