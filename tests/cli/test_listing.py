"""`list`: who is waiting, all filters, paging, and the line that says whether that is all."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Shell
from tests.cli.service import (
    Answer,
    Heard,
    Service,
    incomplete,
    item,
    listed,
    source,
    sources,
    stream_cover,
)


async def test_a_table_for_people(shell: Shell, service: Service) -> None:
    service.on("GET /items", listed(item(1), item(2, age_seconds=30, visibility="direct")))
    result = await shell.run("list")
    assert (result.code, result.err) == (0, "")
    header, first, second, cover = result.out.splitlines()
    assert header.split() == ["ID", "WAITING", "SOURCE", "KIND", "FROM", "TEXT"]
    assert "3 h" in first
    assert "mastodon acme" in first
    assert "@ann@example.social  Question 1?" in first
    assert "[private] Question 2?" in second
    assert cover.startswith("complete up to ")


async def test_json_is_the_services_document(shell: Shell, service: Service) -> None:
    document = listed(item(1, text="ü 漢字 \U0001f600"))
    service.on("GET /items", document)
    assert (await shell.run("list", "--json")).json() == document


async def test_every_filter_reaches_the_service(shell: Shell, service: Service) -> None:
    service.on("GET /sources", sources())
    service.on("GET /items", listed())
    await shell.run(
        "list", "--status", "unanswered", "--status", "replied", "--platform", "mastodon",
        "--source", "acme", "--kind", "mention", "--author-id", "5", "--older-than", "4h",
        "--younger-than", "P3D", "--occurred-after", "2026-11-01", "--occurred-before",
        "2026-11-02T10:00:00+02:00", "--snoozed", "include", "--backlog", "only",
        "--needs-reply", "any", "--order", "newest", "--limit", "7",
    )  # fmt: skip
    (heard,) = service.calls("GET /items")
    assert sorted(heard.query) == sorted([
        ("status", "unanswered"), ("status", "replied"), ("platform", "mastodon"),
        ("source_id", "1"), ("kind", "mention"), ("author_id", "5"), ("older_than", "PT14400S"),
        ("younger_than", "PT259200S"), ("occurred_after", "2026-11-01T00:00:00Z"),
        ("occurred_before", "2026-11-02T08:00:00Z"), ("snoozed", "include"), ("backlog", "only"),
        ("needs_reply", "any"), ("order", "newest"), ("limit", "7"),
    ])  # fmt: skip


async def test_without_filters_the_services_defaults_hold(shell: Shell, service: Service) -> None:
    service.on("GET /items", listed())
    await shell.run("list")
    assert service.calls("GET /items")[0].query == [("limit", "50")]


def _paged(heard: Heard) -> Answer:
    query = dict(heard.query)
    start, size = int(query.get("cursor", "0")), int(query["limit"])
    numbers = range(start, min(start + size, 450))
    following = str(start + size) if start + size < 450 else None
    return Answer(listed(*(item(n) for n in numbers), cursor=following))


async def test_all_pages_through_into_one_document(shell: Shell, service: Service) -> None:
    service.on("GET /items", _paged)
    document = (await shell.run("list", "--all", "--json")).json()
    assert [found["id"] for found in document["items"]] == list(range(450))
    assert document["next_cursor"] is None
    assert len(service.heard) == 3


async def test_a_limit_above_a_page_takes_several(shell: Shell, service: Service) -> None:
    service.on("GET /items", _paged)
    document = (await shell.run("list", "--limit", "250", "--json")).json()
    assert len(document["items"]) == 250
    assert document["next_cursor"] == "250"
    result = await shell.run("list", "--limit", "5")
    assert "5 shown, there are more: --all" in result.out


async def test_a_page_that_warns_is_not_lost_among_the_others(
    shell: Shell, service: Service
) -> None:
    first = listed(item(1), cursor="x", coverage=incomplete())
    service.on("GET /items", Answer(first), Answer(listed(item(2))))
    document = (await shell.run("list", "--all", "--json")).json()
    assert document["coverage"]["complete"] is False


async def test_the_same_cursor_twice_ends_with_an_error(shell: Shell, service: Service) -> None:
    service.on("GET /items", listed(item(1), cursor="x"))
    result = await shell.run("list", "--all")
    assert (result.code, result.err) == (1, "The service gave the same page twice.\n")


async def test_nobody_waiting_looks_fine_only_when_everything_was_read(
    shell: Shell, service: Service
) -> None:
    service.on("GET /items", listed())
    fine = await shell.run("list")
    assert fine.out.splitlines()[0] == "Nobody is waiting."
    service.on("GET /items", listed(coverage=incomplete()))
    missing = await shell.run("list")
    assert "Nobody is waiting" not in missing.out
    assert "NOT complete: mastodon acme notifications: sign-in expired since " in missing.out


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"state": "rate_limited"}, "the platform's rate limit is reached"),
        ({"state": "error", "cause": "parser"}, "cannot be read (parser) since"),
        ({"state": "blind", "covered_through": None, "last_ok_at": None},
         "the credential sees nothing (auth_failed), never read"),
        ({"state": "paused", "source_name": "mastodon"}, "mastodon notifications: paused since"),
        ({"state": "ok", "open_gaps": [{"from": "2026-11-20T10:00:00Z",
          "to": "2026-11-20T11:00:00Z", "cause": "page_cap"}]}, "gap 20 Nov 10:00 to 20 Nov 11:00"),
        ({"state": "behind", "backfill": {"done": False, "read": 1240, "paused": False,
          "back_to": "2026-11-03T00:00:00Z", "since": None}},
         "notifications: history: 1,240 read, back to 3 Nov"),
        ({"state": "new_word"}, "new word (auth_failed) since"),
    ],
)  # fmt: skip
async def test_what_is_missing_is_said_in_words(
    shell: Shell, service: Service, given: dict[str, object], told: str
) -> None:
    service.on("GET /items", listed(coverage=incomplete(**given)))
    out = (await shell.run("list")).out
    assert told in out.replace(" 2026", "")


async def test_each_incomplete_stream_has_its_line(shell: Shell, service: Service) -> None:
    cover = incomplete()
    cover["streams"] += [stream_cover(stream="search", state="paused"), stream_cover()]
    service.on("GET /items", listed(item(1), coverage=cover))
    lines = (await shell.run("list")).out.splitlines()
    assert lines[2] == "NOT complete:"
    assert len(lines) == 5


async def test_a_service_that_is_silent_about_coverage_is_not_believed(
    shell: Shell, service: Service
) -> None:
    document = listed()
    del document["coverage"]
    service.on("GET /items", document)
    out = (await shell.run("list")).out
    assert "NOT known to be complete" in out
    assert "Nobody is waiting" not in out


async def test_foreign_text_moves_nothing_on_the_terminal(shell: Shell, service: Service) -> None:
    evil = "a\x1b]8;;http://x\x07b\x1b]8;;\x07\x1b[2Jc\r\nd\u202ee\x9b31m\x00[bold]f"
    author = {"handle": "x\x1b[31m\ny", "display_name": "", "signals": []}
    service.on("GET /items", listed(item(1, text=evil, author=author, source_name="m\x07")))
    shell.env["NO_COLOR"] = "1"
    for result in (await shell.run("list"), await shell.on_terminal("list")):
        assert result.code == 0
        text = result.out.replace("\x1b[1m", "").replace("\x1b[0m", "")  # our own bold headings
        assert "abc de[bold]f" in text
        assert not any(bad in text for bad in "\x1b\x07\x9b\x00\u202e")


async def test_json_holds_the_text_but_nothing_a_terminal_obeys(
    shell: Shell, service: Service
) -> None:
    text = "a\x1b[2J\x7f\x9b\u202e\u2028\udc80\n"
    service.on("GET /items", listed(item(1, text=text)))
    result = await shell.run("list", "--json")
    assert result.out.count("\n") == 1
    assert not any(bad in result.out for bad in "\x1b\x7f\x9b\u202e\u2028")
    assert result.json()["items"][0]["text"] == text


async def test_a_terminal_cuts_long_texts_and_a_pipe_does_not(
    shell: Shell, service: Service
) -> None:
    service.on("GET /items", listed(item(1, text="long " * 100)))
    assert ("long " * 100).strip() in (await shell.run("list")).out
    drawn = (await shell.on_terminal("list")).out
    assert "…" in drawn
    assert drawn.count("long") < 50


async def test_no_color_is_honoured_on_a_terminal(shell: Shell, service: Service) -> None:
    service.on("GET /items", listed(item(1)))
    assert "\x1b[3" in (await shell.on_terminal("list")).out
    shell.env["NO_COLOR"] = "1"
    assert "\x1b[3" not in (await shell.on_terminal("list")).out


@pytest.mark.parametrize(
    "arguments",
    [["--older-than", "4 fortnights"], ["--occurred-after", "yesterday"], ["--status", "open"],
     ["--limit", "0"], ["--limit", "5", "--all"], ["--order", "loudest"], ["--unknown"],
     ["--older-than", "P1Y"]],
)  # fmt: skip
async def test_usage_errors_are_2_and_ask_nothing(
    shell: Shell, service: Service, arguments: list[str]
) -> None:
    result = await shell.run("list", *arguments)
    assert result.code == 2
    assert "Error: " in result.err
    assert service.heard == []


async def test_sources_are_found_by_id_name_and_platform(shell: Shell, service: Service) -> None:
    bluesky = source(id=2, name="acme", platform="bluesky")
    service.on("GET /sources", sources(source(id=1), bluesky, source(id=3, name="shop")))
    service.on("GET /items", listed())
    for asked, number in (("2", "2"), ("shop", "3"), ("bluesky/acme", "2")):
        await shell.run("list", "--source", asked)
        assert ("source_id", number) in service.calls("GET /items")[-1].query
    twice = await shell.run("list", "--source", "acme")
    assert "several sources: mastodon/acme (id 1), bluesky/acme (id 2)" in twice.err
    unknown = await shell.run("list", "--source", "shap")
    assert (unknown.code, unknown.err) == (1, "There is no source 'shap'. Did you mean 'shop'?\n")


async def test_a_query_is_sent_as_it_was_written(shell: Shell, service: Service) -> None:
    service.on("GET /items", listed())
    await shell.run("list", '"my refund"', "-has:link", "is:replied", "--limit", "5")
    (heard,) = service.calls("GET /items")
    assert sorted(heard.query) == [("limit", "5"), ("q", '"my refund" -has:link is:replied')]


async def test_a_mistake_in_a_query_is_pointed_at(shell: Shell, service: Service) -> None:
    error = {"pointer": "?q", "code": "bad_value", "detail": "No.", "offset": 3, "length": 4}
    problem = {
        "type": "/problems/invalid-request", "title": "Malformed", "status": 422,
        "detail": "No.", "code": "invalid-request", "request_id": "r1", "errors": [error],
    }  # fmt: skip
    service.on("GET /items", Answer(problem, 422))
    result = await shell.run("list", "退款", "is:x")
    assert result.code == 1
    lines = result.err.splitlines()
    assert "No." in lines[0]
    at = next(n for n, line in enumerate(lines) if "退款 is:x" in line)
    assert lines[at + 1].endswith("       ^^^^")


async def test_a_mistyped_option_is_no_word_to_look_for(shell: Shell, service: Service) -> None:
    result = await shell.run("list", "refund", "--staus", "replied")
    assert result.code == 2
    assert "--staus" in result.err
    assert service.calls("GET /items") == []


async def test_a_search_that_has_not_read_everything_says_so(
    shell: Shell, service: Service
) -> None:
    service.on("GET /items", listed() | {"search": {"complete": False, "waiting": 7}})
    result = await shell.run("list", "refund")
    assert "has not read everything yet: 7 to go" in result.out
