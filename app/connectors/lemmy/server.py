"""One server of Lemmy: which API it speaks, how it is asked, who we are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Literal

from app.connectors import base, fields
from app.connectors.asking import Http, Response
from app.connectors.failures import AuthFailed, BadResponse, Gone
from app.connectors.lemmy import account, refusals
from app.connectors.renewal import Renewing

Version = Literal[3, 4]
V3: Final = 3
V4: Final = 4
_LOGIN: Mapping[Version, str] = {V3: "user/login", V4: "account/auth/login"}


@dataclass(frozen=True, slots=True)
class Site:
    """What a server tells of itself: its API, and the codes of its languages."""

    version: Version
    languages: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Us:
    """Our account; `number` is what the server calls it."""

    identity: base.Identity
    number: str
    warnings: tuple[str, ...] = ()


class Server:
    """Asked at `root` (a URL). With a credential it signs in once and keeps the token: signing in
    counts as registering, of which a server allows three in an hour and address.
    """

    def __init__(
        self,
        *,
        root: str,
        credential: account.Credential | None,
        http: Http,
        save_credential: base.SaveCredential,
    ) -> None:
        self._root = root
        self._http = http
        self._site: Site | None = None
        self._us: Us | None = None
        self._token: Renewing | None = None
        if credential is not None:
            self._token = Renewing(
                credential=credential.model_dump(),
                renew=self._sign_in,
                http=http,
                save_credential=save_credential,
                refused=refusals.refuses_token,
            )

    @property
    def signed_in(self) -> bool:
        return self._token is not None

    async def site(self) -> Site:
        """Which API it speaks, asked without a token. A server of 0.19 has no v4; one of 1.0 has a
        v3 without the lists that we read.
        """
        if self._site is None:
            version: Version = V4
            answer = await self._send(f"{self._root}/api/v4/site", (), "")
            if answer.status == HTTPStatus.NOT_FOUND:
                version = V3
                answer = await self._send(f"{self._root}/api/v3/site", (), "")
            self._site = self._read_site(answer, version)
        return self._site

    def _read_site(self, answer: Response, version: Version) -> Site:
        if answer.status == HTTPStatus.NOT_FOUND:
            raise BadResponse("No Lemmy server answers at this address.")
        private = refusals.name_of(answer) == refusals.PRIVATE
        if private and self.signed_in:
            return Site(version)
        if answer.status != HTTPStatus.OK:
            raise refusals.refusal(answer, signed_in=self.signed_in)
        body = fields.as_object(answer.json())
        if not isinstance(body.get("site_view"), dict):
            raise BadResponse("The server does not answer as one of Lemmy does.")
        return Site(version, account.parse_languages(body))

    async def who(self, *, anew: bool = False) -> Us | None:
        """Our account, `None` where we read without one; asked once in the life of this object, or
        `anew`, together with which API it is: servers are brought up to date.
        """
        if anew:
            self._site = self._us = None
        if self._token is None:
            return None
        if self._us is None:
            body = fields.as_object(await self._about_us())
            identity, number, person = account.parse_me(body)
            self._us = Us(identity, number, account.warnings_of(body, person))
        return self._us

    async def _about_us(self) -> Any:
        if (await self.site()).version == V4:
            return await self.get("account")
        await self.get("user/unread_count")  # the next one answers without a token just as well
        me = fields.as_object(await self.get("site")).get("my_user")
        if me is None:
            raise AuthFailed("The server does not say whose token this is: sign in again.")
        return me

    async def get(self, path: str, *params: tuple[str, str]) -> Any:
        """What is answered below the server's API, as JSON."""
        version = (await self.site()).version
        url = f"{self._root}/api/v{version}/{path}"

        async def send(token: str) -> Response:
            return await self._send(url, params, token)

        answer = await (send("") if self._token is None else self._token.ask(send))
        if answer.status != HTTPStatus.OK:
            raise refusals.refusal(answer, signed_in=self.signed_in)
        return answer.json()

    async def _send(self, url: str, params: tuple[tuple[str, str], ...], token: str) -> Response:
        return await self._http.request(
            "GET",
            url,
            params=params,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            expect=refusals.EXPECTED,
        )

    async def _sign_in(self, http: Http, stored: Mapping[str, str]) -> Mapping[str, str] | None:
        """A token for name and password; `None` where only a token was given. A one-time code is
        good for one time.
        """
        if not stored.get("password"):
            return None
        version = (await self.site()).version
        wanted: dict[str, Any] = {
            "username_or_email": stored.get("username", ""),
            "password": stored["password"],
        }
        if stored.get("totp"):
            wanted["totp_2fa_token"] = stored["totp"]
        if version == V4:  # v3 gives out no tokens that end
            wanted["stay_logged_in"] = True
        url = f"{self._root}/api/v{version}/{_LOGIN[version]}"
        answer = await http.request("POST", url, json=wanted, expect=refusals.EXPECTED)
        return {"access_token": _token_in(answer), "totp": ""}


def _token_in(answer: Response) -> str:
    if answer.status != HTTPStatus.OK:
        failure = refusals.refusal(answer, signed_in=True)
        if isinstance(failure, Gone):  # of the account, never of the message that was asked for
            raise AuthFailed("The server knows no such account.")
        raise failure
    token = fields.find_text(fields.as_object(answer.json()), "jwt")
    if not token:
        raise AuthFailed("The server lets the account in only once it is confirmed or approved.")
    return token
