"""`counts` and `coverage`: numbers that never look better than what was read."""

from __future__ import annotations

from typing import Any

from tests.cli.conftest import Shell
from tests.cli.service import AS_OF, Service, complete, incomplete, stream_cover

MIRA = {"id": 3, "name": "mira", "display_name": "Mira\x1b[2J"}


def counted(total: int = 3, coverage: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "as_of": AS_OF, "total": 1234, "by_status": {"unanswered": total, "replied": 1231},
        "unanswered": {"total": total, "overdue": 0, "snoozed": 1, "backlog": 0, "thank_you": 2},
        "by_platform": {"mastodon": total},
        "by_assignee": [{"assignee": MIRA, "unanswered": total}],
        "by_source": [{"source_id": 1, "source_name": "acme\x1b[2J", "unanswered": total}],
        "by_age": {"<1h": 0, ">7d": total}, "coverage": coverage or complete(),
        "oldest_unanswered": {"id": 7, "occurred_at": "2020-01-01T00:00:00Z"} if total else None,
    }  # fmt: skip


async def test_counts_for_people(shell: Shell, service: Service) -> None:
    service.on("GET /counts", counted())
    out = (await shell.run("counts")).out
    assert out.startswith("3 unanswered, of these 1 snoozed; 2 to thank\n")
    assert "the oldest, 7, has waited " in out
    assert "1,234" in out
    assert "source acme " in out
    assert "assigned to Mira " in out
    assert "\x1b" not in out
    assert "complete up to" in out.splitlines()[-1]


async def test_none_unanswered_is_only_known_where_all_was_read(
    shell: Shell, service: Service
) -> None:
    service.on("GET /counts", counted(0))
    assert (await shell.run("counts")).out.startswith("0 unanswered")
    service.on("GET /counts", counted(0, incomplete()))
    out = (await shell.run("counts")).out
    assert out.startswith("0 unanswered known")
    assert "NOT complete: " in out.splitlines()[-1]


async def test_coverage_lists_every_stream_and_what_is_lost(shell: Shell, service: Service) -> None:
    lost = [{"cause": "cap", "detail": "mentions beyond 800", "from": None, "to": None}]
    document = complete() | {"streams": [stream_cover(lost=lost), stream_cover(stream="search")]}
    service.on("GET /coverage", document)
    out = (await shell.run("coverage")).out
    assert "mentions beyond 800" in out
    assert "done, 10 read" in out
    assert len(out.splitlines()) == 4
    document["complete"] = False
    document["streams"][1]["state"] = "paused"
    service.on("GET /coverage", document)
    out = (await shell.run("coverage")).out
    assert "! mastodon acme search" in out
    assert "NOT complete: mastodon acme search: paused" in out


async def test_json_is_the_services(shell: Shell, service: Service) -> None:
    service.on("GET /counts", counted())
    service.on("GET /coverage", complete())
    assert (await shell.run("counts", "--json")).json() == counted()
    assert (await shell.run("coverage", "--json")).json() == complete()
