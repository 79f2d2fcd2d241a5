"""A small OpenID Connect provider over real HTTP, with keys of its own; it can be told to lie."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from app.clock import Clock

CLIENT_ID, CLIENT_SECRET = "unanswered", "a-secret-of-the-client"
MIRA = {
    "sub": "248289761001",
    "email": "Mira@Example.org",
    "email_verified": True,
    "name": "Mira Kowalska",
    "preferred_username": "mira.k@example.org",
}
KEY = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})
ANOTHER = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})


def _as_they_are(claims: dict[str, Any]) -> dict[str, Any]:
    return claims


@dataclass(slots=True)
class Provider:
    """`claims` are those of who consents. `change` is done to the claims of each ID token, `sign`
    replaces how they are signed, `told` what is published.
    """

    clock: Clock
    base: str = ""
    key: RSAKey = field(default_factory=lambda: KEY)
    claims: dict[str, Any] = field(default_factory=lambda: dict(MIRA))
    in_token: bool = True
    told: dict[str, Any] = field(default_factory=dict)
    change: Callable[[dict[str, Any]], dict[str, Any]] = _as_they_are
    sign: Callable[[dict[str, Any]], str] | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def consent(self, address: str) -> dict[str, str]:
        """What a person's browser brings back after they consented at that address."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert (query["response_type"], query["client_id"]) == ("code", CLIENT_ID)
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return {"code": code, "state": query["state"], "iss": self.base}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        self.asked.append(scope["path"])
        status, answer = self._answer(scope["path"], body.decode())
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    def _answer(self, path: str, body: str) -> tuple[int, Any]:
        if path == "/.well-known/openid-configuration":
            return 200, self._published()
        if path == "/keys":
            return 200, {"keys": [{"kty": "oct", "k": "AAAA"}, self.key.as_dict(private=False)]}
        if path == "/token":
            return self._token(body)
        return 200, self.claims

    def _published(self) -> dict[str, Any]:
        return {
            "issuer": self.base,
            "authorization_endpoint": f"{self.base}/authorize",
            "token_endpoint": f"{self.base}/token",
            "userinfo_endpoint": f"{self.base}/userinfo",
            "jwks_uri": f"{self.base}/keys",
            "authorization_response_iss_parameter_supported": True,
            **self.told,
        }

    def _token(self, body: str) -> tuple[int, Any]:
        form = {name: values[0] for name, values in parse_qs(body).items()}
        query = self.codes.get(form.get("code", ""))
        digest = sha256(form.get("code_verifier", "").encode()).digest()
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            query is None
            or challenge != query["code_challenge"]
            or form["redirect_uri"] != query["redirect_uri"]
            or form.get("client_secret") != CLIENT_SECRET
        ):
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "a", "token_type": "Bearer", "id_token": self._made(query)}

    def _made(self, query: dict[str, str]) -> str:
        now = int(self.clock.now().timestamp())
        claims: dict[str, Any] = {
            "iss": self.base,
            "aud": CLIENT_ID,
            "sub": self.claims["sub"],
            "iat": now,
            "exp": now + 300,
            "nonce": query["nonce"],
            **(self.claims if self.in_token else {}),
        }
        changed = self.change(claims)
        if self.sign is not None:
            return self.sign(changed)
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, changed, self.key)


def unsigned(claims: dict[str, Any]) -> str:
    """`alg: none`."""
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    encoded = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts]
    return b".".join([*encoded, b""]).decode()
