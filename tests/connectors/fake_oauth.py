"""A strict authorization server with one small API behind it: PKCE, redirect URIs to the letter,
codes for one use, refresh tokens that rotate and end everything when one comes twice.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, unquote_plus, urlencode

Answer = tuple[int, dict[str, str], Any]


@dataclass(slots=True)
class Code:
    client: str
    redirect_uri: str
    challenge: str
    scope: str
    person: str
    used: bool = False


@dataclass(slots=True)
class FakeOAuth:
    """`clients` maps ids to secrets ("" for a public one), `people` those who may log in to their
    accounts. `person` is who sits before the browser; `refuses` is the error that is answered to
    the consent instead. `lives` is in seconds. `asked` are (path, parameters) in order.
    """

    clients: dict[str, str] = field(default_factory=lambda: {"app-1": "app-secret-1"})
    redirects: dict[str, str] = field(default_factory=dict)
    people: dict[str, list[str]] = field(default_factory=lambda: {"ann": ["brand"]})
    person: str = "ann"
    refuses: str = ""
    lives: int = 7200
    says_issuer: str | None = None
    pkce: bool = True
    codes: dict[str, Code] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)  # access tokens that live, to people
    refresh: dict[str, str] = field(default_factory=dict)  # refresh tokens that live, to people
    spent: set[str] = field(default_factory=set)
    scopes: str = ""
    issued: int = 0
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)

    def to(self, path: str) -> list[dict[str, str]]:
        return [params for asked, params in self.asked if asked == path]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        status, sent, told = await self.answer(
            scope["method"], scope["path"], scope["query_string"].decode(), headers, body.decode()
        )
        encoded = [(name.encode(), value.encode()) for name, value in sent.items()]
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        text = told if isinstance(told, str) else json.dumps(told)
        await send({"type": "http.response.body", "body": text.encode()})

    async def answer(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: str
    ) -> Answer:
        form = headers.get("content-type") == "application/x-www-form-urlencoded"
        sent = parse_qsl(body if form else query, strict_parsing=bool(body if form else query))
        params = dict(sent)
        assert len(params) == len(sent), "RFC 6749 3.1: no parameter more than once"
        self.asked.append((path, params))
        if path in self.answers:
            return self.answers[path]
        if path == "/oauth/authorize":
            return self._authorize(params)
        if path == "/oauth/token":
            assert method == "POST"
            assert form, "the token endpoint takes forms"
            return self._token(params, headers)
        if path == "/apps":
            return self._register(json.loads(body))
        return self._api(path, headers.get("authorization", "").removeprefix("Bearer "))

    def _register(self, asked: dict[str, str]) -> Answer:
        """Like Mastodon's POST /api/v1/apps."""
        number = len(self.clients) + 1
        self.clients[f"made-{number}"] = f"made-secret-{number}"
        self.redirects[f"made-{number}"] = asked["redirect_uri"]
        made = {"client_id": f"made-{number}", "client_secret": f"made-secret-{number}"}
        return 200, {}, made

    def _authorize(self, asked: dict[str, str]) -> Answer:
        client = asked.get("client_id", "")
        redirect = asked.get("redirect_uri", "")
        if client not in self.clients or self.redirects.get(client, redirect) != redirect:
            return 400, {}, "This app, or the address it wants to be called at, is not known."
        assert asked["response_type"] == "code"
        assert len(asked["state"]) >= 32
        back = {"state": asked["state"]}
        if self.says_issuer is not None:
            back["iss"] = self.says_issuer
        if self.refuses:
            back |= {"error": self.refuses, "error_description": "<b>No</b>"}
            return self._back(redirect, back)
        if self.pkce and asked.get("code_challenge_method") != "S256":
            return self._back(redirect, {**back, "error": "invalid_request"})
        code = f"code-{len(self.codes) + 1}-{hashlib.sha256(redirect.encode()).hexdigest()[:16]}"
        challenge, scope = asked.get("code_challenge", ""), asked.get("scope", "")
        self.codes[code] = Code(client, redirect, challenge, scope, self.person)
        return self._back(redirect, {**back, "code": code})

    @staticmethod
    def _back(redirect: str, params: dict[str, str]) -> Answer:
        return 302, {"location": f"{redirect}?{urlencode(params, quote_via=quote)}"}, ""

    def _token(self, asked: dict[str, str], headers: Mapping[str, str]) -> Answer:
        client = self._client_of(asked, headers)
        if client is None:
            return 401, {}, {"error": "invalid_client"}
        if asked["grant_type"] == "authorization_code":
            return self._by_code(client, asked)
        if asked["grant_type"] == "refresh_token":
            return self._by_refresh(asked["refresh_token"])
        return 400, {}, {"error": "unsupported_grant_type"}

    def _client_of(self, asked: dict[str, str], headers: Mapping[str, str]) -> str | None:
        basic = headers.get("authorization", "")
        if basic:
            assert "client_secret" not in asked, "RFC 6749 2.3: one way a request"
            pair = base64.b64decode(basic.removeprefix("Basic ")).decode()
            client, secret = (unquote_plus(part) for part in pair.split(":"))
        else:
            client, secret = asked.get("client_id", ""), asked.get("client_secret", "")
        return client if self.clients.get(client) == secret else None

    def _by_code(self, client: str, asked: dict[str, str]) -> Answer:
        code = self.codes.get(asked.get("code", ""))
        if code is None or code.used:
            self.tokens.clear()  # RFC 6749 4.1.2: what a code gave is revoked when it comes twice
            return 400, {}, {"error": "invalid_grant"}
        code.used = True
        digest = hashlib.sha256(asked.get("code_verifier", "").encode()).digest()
        proven = base64.urlsafe_b64encode(digest).decode().rstrip("=") == code.challenge
        if code.client != client or code.redirect_uri != asked.get("redirect_uri"):
            return 400, {}, {"error": "invalid_grant"}
        if self.pkce and not proven:
            return 400, {}, {"error": "invalid_grant"}
        return self.issue(code.person, code.scope)

    def _by_refresh(self, refresh: str) -> Answer:
        if refresh in self.spent:  # RFC 9700 4.14.2: somebody has stolen it
            self.tokens.clear()
            self.refresh.clear()
        if refresh not in self.refresh:
            return 400, {}, {"error": "invalid_grant", "error_description": refresh}
        self.spent.add(refresh)
        return self.issue(self.refresh.pop(refresh), self.scopes)

    def issue(self, person: str, scope: str = "") -> Answer:
        self.issued += 1
        access, refresh = f"access-{self.issued}-secret", f"refresh-{self.issued}-secret"
        self.tokens[access] = self.refresh[refresh] = person
        self.scopes = scope
        told = {"access_token": access, "refresh_token": refresh, "token_type": "Bearer"}
        return 200, {}, {**told, "expires_in": self.lives, "scope": scope}

    def end_access_tokens(self) -> None:
        self.tokens.clear()

    def _api(self, path: str, token: str) -> Answer:
        person = self.tokens.get(token)
        if person is None:
            return 401, {}, {"error": "The access token is invalid"}
        if path == "/accounts":
            names = self.people[person]
            return 200, {}, [{"id": f"id-{name}", "name": name} for name in names]
        return 200, {}, {"id": f"id-{self.people[person][0]}", "handle": self.people[person][0]}
