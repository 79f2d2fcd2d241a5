"""A token that ends is renewed once, stored first, and used; against a server that rotates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.clock import FrozenClock
from app.connectors.asking import Response
from app.connectors.failures import AuthFailed, BadResponse, ConnectorError, Transient
from app.connectors.http import Door, SourceHttp
from app.connectors.oauth import Client, Granted
from app.connectors.renewal import Renewing, by_refresh_token
from app.connectors.tokens import TokenRefused, ask_for_token, credential_of, fields_of
from tests.connectors.fake_oauth import FakeOAuth
from tests.serving import serving

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


@dataclass(slots=True)
class Stored:
    """Fits `base.SaveCredential`: what is stored, and when."""

    fields: dict[str, str]
    saved: list[dict[str, str]] = field(default_factory=list)
    alone: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def __call__(self, new: Mapping[str, str]) -> None:
        self.fields = dict(new)
        self.saved.append(self.fields)

    @asynccontextmanager
    async def renewing(self) -> AsyncIterator[Mapping[str, str] | None]:
        async with self.alone:
            yield self.fields


@dataclass(slots=True)
class Rig:
    server: FakeOAuth
    base: str
    clock: FrozenClock
    http: SourceHttp
    stored: Stored

    def connector(self, **options: Any) -> Renewing:
        """As a poll builds one: from what is stored."""
        options.setdefault("renew", by_refresh_token(f"{self.base}/oauth/token"))
        return Renewing(
            credential=self.stored.fields, http=self.http, save_credential=self.stored, **options
        )

    async def me(self, connector: Renewing) -> Response:
        async def send(token: str) -> Response:
            headers = {"Authorization": f"Bearer {token}"}
            return await self.http.request(
                "GET", f"{self.base}/me", headers=headers, expect=(200, 401)
            )

        return await connector.ask(send)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    server, clock = FakeOAuth(), FrozenClock(NOON)
    door = Door(allow=("127.0.0.0/8",), clock=clock, user_agent="tests")
    token = server.issue("ann")[2]
    kept = fields_of(token, NOON) | {"client_id": "app-1", "client_secret": "app-secret-1"}
    async with serving(server) as base:
        yield Rig(server, base, clock, door.for_source(), Stored({**kept, "page": "of mine"}))
    await door.aclose()


async def test_a_living_token_is_used_as_it_is(rig: Rig) -> None:
    assert (await rig.me(rig.connector())).json()["handle"] == "brand"
    assert rig.server.to("/oauth/token") == []


async def test_a_refused_token_is_renewed_stored_and_asked_with_again(rig: Rig) -> None:
    rig.server.end_access_tokens()
    before, connector = dict(rig.stored.fields), rig.connector()
    assert (await rig.me(connector)).status == 200
    assert rig.server.to("/oauth/token") == [
        {
            "grant_type": "refresh_token",
            "refresh_token": before["refresh_token"],
            "client_id": "app-1",
            "client_secret": "app-secret-1",
        }
    ]
    assert rig.stored.fields == {
        **before,
        "access_token": "access-2-secret",
        "refresh_token": "refresh-2-secret",
        "expires_at": "2026-11-27T14:00:00.000Z",
    }
    assert connector.fields == rig.stored.fields
    assert (await rig.me(rig.connector())).status == 200
    assert len(rig.server.to("/oauth/token")) == 1


async def test_a_first_token_is_got_before_anything_is_asked(rig: Rig) -> None:
    rig.stored.fields["access_token"] = ""
    assert (await rig.me(rig.connector())).status == 200
    assert [path for path, _ in rig.server.asked] == ["/oauth/token", "/me"]
    assert rig.stored.fields["access_token"] == "access-2-secret"


async def test_a_new_token_is_stored_before_it_is_used(rig: Rig) -> None:
    rig.server.end_access_tokens()
    seen: list[int] = []

    async def send(token: str) -> Response:
        seen.append(len(rig.stored.saved))
        assert token == rig.stored.fields["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        return await rig.http.request("GET", f"{rig.base}/me", headers=headers, expect=(200, 401))

    assert (await rig.connector().ask(send)).status == 200
    assert seen == [0, 1]


async def test_a_token_is_renewed_shortly_before_it_ends(rig: Rig) -> None:
    rig.clock.move(timedelta(seconds=7200 - 301))
    await rig.me(rig.connector())
    assert rig.server.to("/oauth/token") == []
    rig.clock.move(timedelta(seconds=1))
    connector = rig.connector()
    assert (await rig.me(connector)).status == 200
    assert (await rig.me(connector)).status == 200
    assert len(rig.server.to("/oauth/token")) == 1
    assert rig.stored.fields["access_token"] == "access-2-secret"


async def test_renewing_ahead_may_fail_while_the_token_lives(rig: Rig) -> None:
    rig.clock.move(timedelta(seconds=6950))
    rig.server.answers["/oauth/token"] = (503, {}, "")
    connector = rig.connector()
    assert [(await rig.me(connector)).status for _ in range(3)] == [200, 200, 200]
    assert len(rig.server.to("/oauth/token")) == 1, "not with every request"
    rig.clock.move(timedelta(seconds=60))
    del rig.server.answers["/oauth/token"]
    assert (await rig.me(connector)).status == 200, "a connector is kept from poll to poll"
    assert rig.stored.fields["access_token"] == "access-2-secret"


async def test_a_refresh_token_that_is_refused_needs_a_person(rig: Rig) -> None:
    rig.server.end_access_tokens()
    rig.server.refresh.clear()
    with pytest.raises(TokenRefused, match="connect the account again") as failure:
        await rig.me(rig.connector())
    assert isinstance(failure.value, AuthFailed)
    assert failure.value.error == "invalid_grant"
    assert "refresh-1" not in failure.value.detail
    assert rig.stored.saved == []


async def test_a_pasted_token_is_not_renewed(rig: Rig) -> None:
    rig.server.end_access_tokens()
    rig.stored.fields["refresh_token"] = ""
    assert (await rig.me(rig.connector())).status == 401
    assert len(rig.server.to("/me")) == 1


async def test_what_is_refused_again_is_the_answer(rig: Rig) -> None:
    rig.server.answers["/me"] = (401, {}, {"error": "always"})
    assert (await rig.me(rig.connector())).json() == {"error": "always"}
    assert len(rig.server.to("/oauth/token")) == 1


async def test_many_requests_and_connectors_renew_once(rig: Rig) -> None:
    rig.server.end_access_tokens()
    connectors = [rig.connector() for _ in range(3)]
    answers = await asyncio.gather(*(rig.me(each) for each in connectors for _ in range(3)))
    assert {answer.status for answer in answers} == {200}
    assert len(rig.server.to("/oauth/token")) == 1


async def test_what_a_person_gave_meanwhile_is_used(rig: Rig) -> None:
    connector = rig.connector()
    rig.server.end_access_tokens()
    fresh = fields_of(rig.server.issue("ann")[2], NOON)
    rig.stored.fields = {**rig.stored.fields, **fresh}
    assert (await rig.me(connector)).status == 200
    assert rig.server.to("/oauth/token") == []


async def test_a_poll_called_off_keeps_the_token_it_was_given(rig: Rig) -> None:
    """The server has rotated: an answer that nobody stores costs the account."""
    rig.server.end_access_tokens()
    began, go_on = asyncio.Event(), asyncio.Event()
    renew = by_refresh_token(f"{rig.base}/oauth/token")

    async def slow(http: Any, stored: Mapping[str, str]) -> Mapping[str, str] | None:
        new = await renew(http, stored)
        began.set()
        await go_on.wait()
        return new

    poll = asyncio.create_task(rig.me(rig.connector(renew=slow)))
    await began.wait()
    poll.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await poll
    assert rig.stored.fields["refresh_token"] == "refresh-2-secret"
    assert (await rig.me(rig.connector())).status == 200


async def test_a_token_that_only_a_living_one_renews(rig: Rig) -> None:
    """Like Instagram's and Facebook's: what has ended can't be exchanged any more."""
    asked: list[str] = []

    async def exchange(_http: Any, stored: Mapping[str, str]) -> Mapping[str, str]:
        asked.append(stored["access_token"])
        return {"access_token": rig.server.issue("ann")[2]["access_token"], "expires_at": ""}

    long = {"renew": exchange, "ahead": timedelta(hours=1), "on_refusal": False}
    rig.clock.move(timedelta(seconds=3601))
    assert (await rig.me(rig.connector(**long))).status == 200
    assert (asked, rig.stored.fields["expires_at"]) == (["access-1-secret"], "")
    rig.server.end_access_tokens()
    assert (await rig.me(rig.connector(**long))).status == 401
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("answer", "failure", "word"),
    [
        ((400, {}, {"error": "invalid_client"}), TokenRefused, "id and secret"),
        ((401, {}, "<html>"), TokenRefused, "id and secret"),
        ((403, {}, {}), TokenRefused, "id and secret"),
        ((200, {}, {"error": "invalid_grant"}), TokenRefused, "connect the account again"),
        ((400, {}, {"error": {"code": 190}}), TokenRefused, "connect the account again"),
        ((400, {}, {"error": 400}), TokenRefused, "connect the account again"),
        ((401, {}, {"error": 401}), TokenRefused, "id and secret"),
        ((400, {}, {"error": True}), BadResponse, "does not understand"),
        ((400, {}, {"error": "temporarily_unavailable"}), Transient, "at the moment"),
        ((400, {}, {"error": "refresh-1-secret"}), BadResponse, "does not understand"),
        ((400, {}, "<html>"), BadResponse, "where data was expected"),
        ((200, {}, []), BadResponse, "no token"),
        ((200, {}, {"token_type": "Bearer"}), BadResponse, "no token"),
        ((200, {}, {"access_token": 7}), BadResponse, "no token"),
        ((500, {}, ""), Transient, "a failure of its own"),
    ],
)
async def test_a_refusal_says_what_to_do_next(
    rig: Rig, answer: Any, failure: type[ConnectorError], word: str
) -> None:
    rig.server.end_access_tokens()
    rig.server.answers["/oauth/token"] = answer
    with pytest.raises(failure, match=word) as raised:
        await rig.me(rig.connector())
    assert "secret" not in raised.value.detail.replace("id and secret", "")


async def test_an_app_proves_itself_as_the_platform_wants_it(rig: Rig) -> None:
    rig.server.clients = {"an id/1": "s:e c&r", "public": "", "key": "k"}

    async def ask(client: Client, **how: Any) -> dict[str, str]:
        rig.server.asked.clear()
        refresh = next(iter(rig.server.refresh))
        url = f"{rig.base}/oauth/token"
        fields = {"refresh_token": refresh}
        await ask_for_token(rig.http, url, "refresh_token", fields, client=client, **how)
        return {k: v for k, v in rig.server.asked[-1][1].items() if k.startswith("client")}

    assert await ask(Client("an id/1", "s:e c&r"), client_auth="basic") == {}
    assert await ask(Client("public"), client_auth="basic") == {"client_id": "public"}
    assert await ask(Client("key", "k")) == {"client_id": "key", "client_secret": "k"}
    with pytest.raises(TokenRefused):
        await ask(Client("key", "k"), client_field="client_key")
    assert rig.server.asked[-1][1]["client_key"] == "key"


@pytest.mark.parametrize(
    ("seconds", "until"),
    [
        (60, "2026-11-27T12:01:00.000Z"),
        ("5184000", "2027-01-26T12:00:00.000Z"),
        (1.5, "2026-11-27T12:00:01.500Z"),
        (0, ""),
        (-5, ""),
        (True, ""),
        (10**12, ""),
        ("9" * 400, ""),
        ("soon", ""),
        (None, ""),
    ],
)
def test_an_end_is_kept_where_one_is_told(seconds: Any, until: str) -> None:
    granted = Granted(
        None, Client("id", "s"), {"access_token": "a", "expires_in": seconds}, NOON.isoformat()
    )
    assert credential_of(granted) == {
        "access_token": "a",
        "expires_at": until,
        "client_id": "id",
        "client_secret": "s",
    }
