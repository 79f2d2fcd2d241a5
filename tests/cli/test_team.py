"""`users` and `tokens`: each command is one call, and a secret is printed once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Shell
from tests.cli.service import AS_OF, Answer, Service

ACCESS = {
    "rights": ["direct"], "source_ids": [1], "created_at": AS_OF, "created_by": "user:1",
    "disabled_at": None,
}  # fmt: skip
MIRA = {
    "id": 3, "name": "mira", "display_name": "Mira\x1b[31m K.", "role": "viewer",
    "disabled": False, "version": 1, "access": ACCESS,
}  # fmt: skip
GONE = MIRA | {"id": 4, "name": "ben", "display_name": "Ben", "disabled": True, "access": None}
TOKEN = {
    "id": 7, "name": "wall", "role": "viewer", "rights": [], "source_ids": None, "user": None,
    "last4": "x3Qa", "created_at": AS_OF, "created_by": "user:1", "expires_at": None,
    "last_used_at": None, "revoked_at": None,
}  # fmt: skip


@pytest.fixture
def team(service: Service) -> Service:
    """Two people, one of whom left, and two sources."""
    service.on("GET /users", {"items": [MIRA, GONE], "next_cursor": None})
    sources = [{"id": 1, "name": "acme", "platform": "mastodon"}]
    service.on("GET /sources", {"items": sources, "next_cursor": None})
    return service


async def test_people_are_listed_with_what_they_may(shell: Shell, team: Service) -> None:
    listed = await shell.run("users", "list", "--all")
    header, mira, ben = listed.out.splitlines()
    assert header.split() == ["ID", "NAME", "ROLE", "SOURCES", "STATE", "DISPLAY", "NAME"]
    assert mira.split() == ["3", "mira", "viewer", "+", "direct", "1", "ok", "Mira", "K."]
    assert ben.split() == ["4", "ben", "viewer", "?", "disabled", "Ben"]
    assert dict(team.heard[0].query) == {"disabled": "include"}
    await shell.run("users", "list")
    assert dict(team.heard[1].query) == {"disabled": "exclude"}


CHANGES: list[tuple[list[str], str, dict[str, Any], str]] = [
    (
        ["add", "mira", "--role", "viewer", "--source", "acme", "--right", "direct"],
        "POST /users",
        {"name": "mira", "role": "viewer", "display_name": None, "rights": ["direct"],
         "source_ids": [1]},
        "Mira K. (mira, id 3) is in the team.",
    ),
    (
        ["change", "MIRA", "--role", "agent", "--display-name", "M", "--all-sources"],
        "PATCH /users/3",
        {"role": "agent", "display_name": "M", "source_ids": None},
        "Mira K. (mira, id 3) is viewer.",
    ),
    (["change", "3", "--no-direct"], "PATCH /users/3", {"rights": []},
     "Mira K. (mira, id 3) is viewer."),
    (["disable", "mira"], "PATCH /users/3", {"disabled": True},
     "Mira K. (mira, id 3) can't sign in any more."),
    (["enable", "3"], "PATCH /users/3", {"disabled": False},
     "Mira K. (mira, id 3) can sign in again."),
]  # fmt: skip


async def test_a_change_of_a_person_is_one_call(shell: Shell, team: Service) -> None:
    for arguments, call, body, told in CHANGES:
        team.on(call, MIRA)
        result = await shell.run("users", *arguments)
        assert (result.code, result.out, result.err) == (0, told + "\n", "")
        assert team.calls(call)[-1].body == body


async def test_who_is_not_there_is_told_with_who_is(shell: Shell, team: Service) -> None:
    result = await shell.run("users", "disable", "zoe")
    assert result.code == 1
    assert "There is no person 'zoe'. There are: mira, ben." in result.err


async def test_a_new_token_is_printed_once_and_alone(shell: Shell, team: Service) -> None:
    team.on("POST /tokens", TOKEN | {"secret": "una_secret"})
    made = await shell.run(
        "tokens", "create", "wall", "--role", "viewer", "--user", "Mira", "--source", "acme",
        "--expires", "2099-01-02T03:04:05Z",
    )  # fmt: skip
    assert (made.code, made.out) == (0, "una_secret\n")
    assert "Token 7: keep it now" in made.err
    assert team.heard[-1].body == {
        "name": "wall", "role": "viewer", "rights": [], "source_ids": [1],
        "expires_at": "2099-01-02T03:04:05Z", "user_id": 3,
    }  # fmt: skip


async def test_tokens_are_listed_and_revoked(shell: Shell, team: Service) -> None:
    mine = TOKEN | {"id": 8, "user": {"name": "mira"}, "revoked_at": AS_OF, "source_ids": []}
    team.on("GET /tokens", {"items": [TOKEN, mine], "next_cursor": None})
    _, wall, other = (await shell.run("tokens", "list", "--all")).out.splitlines()
    assert wall.split() == ["7", "-", "viewer", "all", "never", "never", "…x3Qa", "wall"]
    assert other.split()[:5] == ["8", "mira", "viewer", "none", "revoked"]
    assert dict(team.heard[0].query) == {"revoked": "include"}
    team.on("DELETE /tokens/7", {})
    assert (await shell.run("tokens", "revoke", "7")).out == "Token 7 is revoked.\n"
    assert team.calls("DELETE /tokens/7")


@pytest.mark.parametrize(
    "arguments",
    [["users", "add", "mira"], ["users", "add", "mira", "--role", "owner"],
     ["users", "change", "mira"], ["users", "change", "mira", "--source", "a", "--all-sources"],
     ["tokens", "create", "wall"], ["tokens", "create", "--role", "viewer"],
     ["tokens", "create", "wall", "--role", "viewer", "--expires", "soon"],
     ["tokens", "revoke", "seven"]],
)  # fmt: skip
async def test_usage_errors_call_nothing(
    shell: Shell, service: Service, arguments: list[str]
) -> None:
    result = await shell.run(*arguments)
    assert (result.code, service.heard) == (2, [])
    assert "Error: " in result.err


async def test_an_invitation_prints_its_link_alone(shell: Shell, team: Service) -> None:
    link = {"url": "http://127.0.0.1:8000/#setup=abc", "expires_at": AS_OF}
    team.on("POST /users/3/sign-in-link", Answer(link, 201))
    done = await shell.run("users", "invite", "Mira")
    assert done.out == "http://127.0.0.1:8000/#setup=abc\n"
    assert "For Mira K. (mira, id 3) alone" in done.err


async def test_sessions_are_listed_and_ended(shell: Shell, team: Service) -> None:
    session = {
        "id": 12, "user": {"id": 3, "name": "mira", "display_name": "Mira"}, "way": "password",
        "address": "192.0.2.7", "user_agent": "Fire\x1b[31mfox", "created_at": AS_OF,
        "last_seen_at": AS_OF, "expires_at": AS_OF, "current": False,
    }  # fmt: skip
    team.on("GET /sessions", {"items": [session], "next_cursor": None})
    team.on("DELETE /sessions/12", Answer(status=204))
    team.on("DELETE /sessions", Answer(status=204))
    listed = await shell.run("sessions", "list")
    assert listed.out.splitlines()[1].split()[:2] == ["12", "mira"]
    assert "\x1b" not in listed.out
    assert dict(team.heard[-1].query) == {"user_id": "any"}
    await shell.run("sessions", "list", "--user", "mira")
    assert dict(team.heard[-1].query) == {"user_id": "3"}
    assert (await shell.run("sessions", "revoke", "12")).out == "Session 12 is over.\n"
    done = await shell.run("users", "sign-out", "mira")
    assert done.out == "Mira K. (mira, id 3) is signed out.\n"
    (ended,) = team.calls("DELETE /sessions")
    assert dict(ended.query) == {"user_id": "3"}


async def test_people_are_linked_to_another_service_and_unlinked(
    shell: Shell, team: Service
) -> None:
    known = {"user_id": 3, "email": "m@example.org", "issuer": None, "subject": None}
    team.on("PUT /users/3/identity", known | {"linked_at": None})
    team.on("DELETE /users/3/identity", Answer(status=204))
    done = await shell.run("users", "link", "mira", "--email", "m@example.org")
    assert done.out == "Mira K. (mira, id 3) is recognised by m@example.org.\n"
    (put,) = team.calls("PUT /users/3/identity")
    assert put.body == {"email": "m@example.org", "subject": None}
    assert (await shell.run("users", "unlink", "mira")).code == 0
    assert (await shell.run("users", "link", "mira")).code == 2
