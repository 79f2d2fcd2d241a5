"""What a person does with an item: each command is one call, and says what became of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cli.conftest import Shell
from tests.cli.service import AS_OF, Service, item

ANSWER = {"evidence": "declared", "answered_at": AS_OF, "answered_by": "me", "reply_url": None}
MIRA = {"id": 3, "name": "mira", "display_name": "Mira"}
CLAIM = {"by": MIRA, "until": "2099-01-02T03:04:05Z"}


@pytest.mark.parametrize(
    ("arguments", "call", "body", "after", "told"),
    [
        (["replied", "7"], "mark-replied", {}, {"status": "replied", "answer": ANSWER},
         "7 is replied (declared)."),
        (["replied", "7", "--reply-url", "https://x/1", "--at", "2026-11-03T10:00:00Z", "--note",
          "by phone"], "mark-replied",
         {"reply_url": "https://x/1", "replied_at": "2026-11-03T10:00:00Z", "note": "by phone"},
         {"status": "replied", "answer": ANSWER}, "7 is replied (declared)."),
        (["dismiss", "7", "--reason", "no_reply_needed", "--note", "n"], "dismiss",
         {"reason": "no_reply_needed", "note": "n"},
         {"status": "dismissed", "dismissed_reason": "no_reply_needed"},
         "7 is dismissed (no reply needed)."),
        (["spam", "7"], "spam", {}, {"status": "spam"}, "7 is spam."),
        (["spam", "7", "--mute-author"], "spam", {"mute_author": True}, {"status": "spam"},
         "7 is spam."),
        (["reopen", "7"], "reopen", {}, {}, "7 is unanswered."),
        (["snooze", "7", "--until", "2099-01-02T03:04:05Z"], "snooze",
         {"until": "2099-01-02T03:04:05Z"}, {"snoozed_until": "2099-01-02T03:04:05Z"},
         "7 is unanswered, snoozed until 2 Jan 2099 03:04."),
        (["unsnooze", "7"], "unsnooze", {}, {}, "7 is unanswered."),
        (["assign", "7", "mira"], "assign", {"assignee": "mira"}, {"assignee": MIRA},
         "7 is unanswered, assigned to Mira."),
        (["assign", "7", "3"], "assign", {"assignee": "3"}, {"assignee": MIRA},
         "7 is unanswered, assigned to Mira."),
        (["assign", "7", "none"], "assign", {"assignee": None}, {}, "7 is unanswered."),
        (["claim", "7"], "claim", {"force": False}, {"claim": CLAIM},
         "7 is unanswered, claimed by Mira until 2 Jan 2099 03:04."),
        (["claim", "7", "--force"], "claim", {"force": True}, {"claim": CLAIM},
         "7 is unanswered, claimed by Mira until 2 Jan 2099 03:04."),
        (["release", "7", "--force"], "release", {"force": True}, {}, "7 is unanswered."),
    ],
)  # fmt: skip
async def test_a_command_is_one_call(
    shell: Shell,
    service: Service,
    arguments: list[str],
    call: str,
    body: dict[str, Any],
    after: dict[str, Any],
    told: str,
) -> None:
    service.on(f"POST /items/7/{call}", item(7, **after))
    result = await shell.run(*arguments)
    assert (result.code, result.out, result.err) == (0, told + "\n", "")
    (heard,) = service.heard
    assert heard.body == body
    assert (await shell.run(*arguments, "--json")).json() == item(7, **after)


async def test_snoozing_for_a_while_counts_from_now(shell: Shell, service: Service) -> None:
    service.on("POST /items/7/snooze", item(7))
    before = datetime.now(UTC)  # compared with the command's own clock
    await shell.run("snooze", "7", "--for", "3h")
    until = datetime.fromisoformat(service.heard[0].body["until"])
    assert timedelta(hours=2, minutes=59) < until - before < timedelta(hours=3, minutes=1)


@pytest.mark.parametrize(
    "arguments",
    [["dismiss", "7"], ["dismiss", "7", "--reason", "lazy"], ["snooze", "7"],
     ["snooze", "7", "--for", "3h", "--until", "2099-01-01"], ["snooze", "7", "--for", "long"],
     ["assign", "7"], ["claim"], ["replied"], ["replied", "seven"],
     ["replied", "0"], ["replied", "7", "--at", "noon"]],
)  # fmt: skip
async def test_usage_errors_call_nothing(
    shell: Shell, service: Service, arguments: list[str]
) -> None:
    result = await shell.run(*arguments)
    assert (result.code, service.heard) == (2, [])
    assert "Error: " in result.err


async def test_show_tells_everything_and_cleans_it(shell: Shell, service: Service) -> None:
    author = {"handle": "@ann\x1b[31m", "display_name": "Ann", "url": "https://a.example",
              "signals": [{"code": "new", "reason": "account of 2 days"}]}  # fmt: skip
    shown = item(
        7, status="replied", age_seconds=None, text="one\ntwo\x1b]0;title\x07", author=author,
        answer=ANSWER | {"reply_url": "https://r.example"}, possibly_answered=True,
        media=[{"kind": "image", "description": "a cat\x1b", "url": "https://m.example"}],
        replies=[{"text": "our\x9b1m words", "occurred_at": AS_OF}], labels=["vip"],
    )  # fmt: skip
    service.on("GET /items/7", shown)
    result = await shell.run("show", "7")
    assert result.code == 0
    for part in (
        "mention 7:  replied", "@ann, https://a.example", "  one\n  two\n", "account of 2 days",
        "https://r.example", "[perhaps answered]", "[image: a cat]", "  our words", "vip",
        "Possible now: mark_replied, dismiss",
    ):  # fmt: skip
        assert part in result.out
    assert not any(bad in result.out for bad in "\x1b\x07\x9b")
    assert (await shell.run("show", "7", "--json")).json() == shown
