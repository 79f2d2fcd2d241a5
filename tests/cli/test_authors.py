"""People from the command line: shown, muted, erased."""

from __future__ import annotations

from typing import Any

from tests.cli.conftest import Shell
from tests.cli.service import AS_OF, Answer, Service, complete, item

TALLY = {"dry_run": False, "items": 4, "messages": 2, "texts": 1, "bodies": 3}


def author(**given: Any) -> dict[str, Any]:
    history = {
        "messages": 5, "asked": 4, "answered": 3, "waiting": 1, "dismissed": 0, "spam": 0,
        "median_answer_seconds": 5400.0, "negative_answer_times": 0, "first_at": AS_OF,
        "last_at": AS_OF,
    }  # fmt: skip
    return {
        "id": 9, "platform": "mastodon", "handle": "ann@there.example", "display_name": "Ann",
        "url": "", "signals": [{"code": "bot", "reason": "It says so."}], "muted": False,
        "muted_at": None, "notes": "", "history": history, "by_source": [], "recent": [item(7)],
        **given,
    }  # fmt: skip


async def test_a_person_is_shown_with_their_history(shell: Shell, service: Service) -> None:
    service.on("GET /authors/9", author(notes="a\x1b[31mteapot"))
    result = await shell.run("author", "9")
    assert "4 asked, 3 answered, 1 waiting now" in result.out
    assert "(median)" in result.out
    assert "It says so." in result.out
    assert "\x1b" not in result.out
    assert (await shell.run("author", "9", "--json")).json()["id"] == 9


async def test_impossible_answer_times_are_told(shell: Shell, service: Service) -> None:
    given = author()
    given["history"] |= {"negative_answer_times": 2}
    service.on("GET /authors/9", given)
    assert "2 with impossible times left out" in (await shell.run("author", "9")).out


async def test_a_person_is_muted_and_heard_again(shell: Shell, service: Service) -> None:
    service.on("PATCH /authors/9", author(muted=True), author())
    assert (await shell.run("mute", "9")).out == "ann@there.example is muted.\n"
    assert (await shell.run("unmute", "9")).out == "ann@there.example is heard.\n"
    assert [heard.body for heard in service.heard] == [{"muted": True}, {"muted": False}]


async def test_erasing_asks_first(shell: Shell, service: Service) -> None:
    service.on("GET /authors/9", author())
    service.on("DELETE /authors/9/data", TALLY)
    refused = await shell.run("erase", "9")
    assert (refused.code, service.calls("DELETE /authors/9/data")) == (2, [])
    no = await shell.on_terminal("erase", "9", answers={"for good": "n"})
    assert "Nothing was erased." in no.out
    assert service.calls("DELETE /authors/9/data") == []
    yes = await shell.on_terminal("erase", "9", answers={"for good": "y"})
    assert "Deleted 4 messages" in yes.out


async def test_a_dry_run_only_counts(shell: Shell, service: Service) -> None:
    service.on("DELETE /authors/9/data", Answer({**TALLY, "dry_run": True}))
    result = await shell.run("erase", "9", "--dry-run")
    assert result.out.startswith("Would delete 4 messages")
    assert service.heard[0].query == [("dry_run", "true")]


async def test_the_list_by_value_and_of_the_overdue(shell: Shell, service: Service) -> None:
    page: dict[str, Any] = {
        "items": [],
        "next_cursor": None,
        "as_of": AS_OF,
        "coverage": complete(),
    }
    service.on("GET /items", page)
    await shell.run("list", "--overdue", "--order", "value")
    await shell.run("list", "--not-overdue")
    first, second = (dict(heard.query) for heard in service.heard)
    assert (first["overdue"], first["order"]) == ("true", "value")
    assert second["overdue"] == "false"
