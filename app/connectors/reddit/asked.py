"""Reddit as one app asks it for one account: signed, told apart by name, refusals sorted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from app import __version__
from app.connectors import asking, base, failures
from app.connectors.base import JsonObject
from app.connectors.reddit import account, people, refusals
from app.connectors.reddit.people import Facts
from app.connectors.renewal import Renewing

IDS = 100  # in one request
KNOWN = 5_000
_USER = re.compile(r"[A-Za-z0-9_-]{1,40}")


def user_agent(client_id: str, user: str) -> str:
    """`<platform>:<app id>:<version> (by /u/<name>)`, which Reddit's API rules demand; an app that
    does not name itself is slowed down or shut out.
    """
    by = f" (by /u/{user})" if _USER.fullmatch(user) else ""
    return f"web:{client_id}:Unanswered/{__version__}{by}"


class Api:
    """Asked at `root` (a URL); remembers who we are and what it was told of 5,000 authors."""

    def __init__(self, *, root: str, http: asking.Http, token: Renewing, client_id: str) -> None:
        self._root = root
        self._http = http
        self._token = token
        self._client_id = client_id
        self._people: dict[str, Facts] = {}
        self._me: tuple[base.Identity, JsonObject] | None = None

    async def who(self) -> base.Identity:
        """Our account; asked once in the life of this object."""
        if self._me is None:
            self._me = await self.identify()
        return self._me[0]

    async def identify(self) -> tuple[base.Identity, JsonObject]:
        """Our account, and what Reddit tells of it, asked anew."""
        self._me = None
        body = await self.get("api/v1/me", "identity")
        self._me = account.parse_identity(body), body
        return self._me

    async def get(
        self, path: str, right: str, *params: tuple[str, str], subreddit: str = ""
    ) -> Any:
        """What is answered, as JSON. `right` is the scope it takes, `subreddit` what it is about
        where that is no thing of the account's own.
        """
        answer = await self._send(path, params)
        if answer.status != HTTPStatus.OK:
            raise refusals.refusal(answer, right, subreddit=subreddit)
        return answer.json()

    async def _send(self, path: str, params: tuple[tuple[str, str], ...]) -> asking.Response:
        agent = user_agent(self._client_id, self._me[0].handle if self._me else "")

        async def send(token: str) -> asking.Response:
            return await self._http.request(
                "GET",
                f"{self._root}/{path}",
                params=(*params, ("raw_json", "1")),
                headers={"Authorization": f"Bearer {token}", "User-Agent": agent},
                expect=refusals.EXPECTED,
            )

        return await self._token.ask(send)

    async def known(self, accounts: Iterable[str]) -> dict[str, Facts]:
        """What Reddit tells of these accounts, one request for a hundred that are new to us."""
        if len(self._people) > KNOWN:
            self._people.clear()
        missing = sorted(set(accounts) - self._people.keys())
        for start in range(0, len(missing), IDS):
            chunk = missing[start : start + IDS]
            try:
                found = await self._facts(chunk)
            except failures.ADORNING:
                break
            self._people |= dict.fromkeys(chunk, people.UNKNOWN) | found
        return dict(self._people)

    async def _facts(self, accounts: list[str]) -> dict[str, Facts]:
        try:
            ids = ("ids", ",".join(accounts))
            body = await self.get("api/user_data_by_account_ids", "privatemessages", ids)
        except failures.Gone:  # 404: it knows none of them any more
            return {}
        return people.parse_facts(body)
