"""The service that knows who somebody is: what it publishes, its tokens, and what it says.

OpenID Connect Core 1.0 (3.1.2, 3.1.3.7, 5.3), Discovery 1.0, RFC 9207. Signatures are checked by
joserfc.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, import_key

from app.clock import Clock
from app.connectors.failures import ConnectorError
from app.connectors.http import Door, SourceHttp
from app.connectors.oauth import Client
from app.connectors.text import clean
from app.connectors.tokens import ask_for_token
from app.errors import Unavailable

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "Ed25519",
              "EdDSA")  # fmt: skip
"""By a key of the provider alone: no `none`, and nothing that our secret could sign."""
LEEWAY = 60
"""Seconds that its clock may differ from ours."""
PUBLISHED_FOR = timedelta(hours=1)
KEYS_ANEW_EVERY = timedelta(minutes=1)
LONGEST_SUBJECT = 255  # OpenID Connect Core 1.0, 2


class NotProven(Exception):
    """What came is no proof of who somebody is; the words are for the log."""


@dataclass(frozen=True, slots=True)
class Somebody:
    """Who came, as the provider says. `email` is one that it has verified, else ""."""

    issuer: str
    subject: str
    email: str = ""
    name: str = ""
    nickname: str = ""


@dataclass(slots=True)
class _Published:
    """What the provider publishes of itself, and when we looked."""

    issuer: str
    authorize: str
    token: str
    keys_at: str
    userinfo: str
    tells_issuer: bool
    keys: KeySet
    read_at: datetime
    keys_read_at: datetime


@dataclass(slots=True)
class Provider:
    """One provider, as the settings name it."""

    door: Door
    clock: Clock
    issuer: str
    client: Client
    _published: _Published | None = field(default=None, repr=False)

    async def address(self, *, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Where a browser is sent."""
        published = await self._now()
        challenge = create_s256_code_challenge(verifier)  # type: ignore[no-untyped-call]  # no types
        params = [
            ("response_type", "code"),
            ("client_id", self.client.id),
            ("redirect_uri", redirect_uri),
            ("scope", "openid email profile"),
            ("state", state),
            ("nonce", nonce),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
        ]
        return str(add_params_to_uri(published.authorize, params))

    async def check_issuer(self, told: str) -> None:
        """Raises `NotProven` where `iss` of a return is another's, or missing though promised."""
        published = await self._now()
        if told != published.issuer and (told or published.tells_issuer):
            raise NotProven("the return is of another provider")

    async def somebody(
        self, code: str, *, redirect_uri: str, nonce: str, verifier: str
    ) -> Somebody:
        """Whom the code stands for. Raises `NotProven`, and `Unavailable` where none can be had."""
        published = await self._now()
        fields = {"code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
        try:
            answer = await ask_for_token(
                self._http(), published.token, "authorization_code", fields, client=self.client
            )
            token = answer.json()
        except ConnectorError as failure:
            raise NotProven(f"no token for the code: {failure}") from failure
        claims = await self._claims(str(token.get("id_token", "")), nonce)
        if not claims.get("email") and published.userinfo:
            claims = {**await self._userinfo(token, claims["sub"]), **claims}
        return _somebody(self.issuer, claims)

    async def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        """The claims of an ID token that is for us, of now, and of this way (Core, 3.1.3.7)."""
        published = await self._now()
        decoded = await self._decoded(token)
        now = int(self.clock.now().timestamp())
        registry = jwt.JWTClaimsRegistry(
            now=now,
            leeway=LEEWAY,
            iss={"essential": True, "value": published.issuer},
            aud={"essential": True, "value": self.client.id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True},
        )
        claims = dict(decoded.claims)
        try:
            registry.validate(claims)
        except (JoseError, TypeError, ValueError) as error:
            raise NotProven(f"a claim does not hold: {error}") from error
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if several else self.client.id) != self.client.id:
            raise NotProven("it was made for another client")
        if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
            raise NotProven("it was made for another way")
        if not 0 < len(str(claims["sub"])) <= LONGEST_SUBJECT:
            raise NotProven("its subject is none")
        return claims

    async def _decoded(self, token: str) -> jwt.Token:
        try:
            return await self._by_keys(token)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise NotProven(f"the token can't be trusted: {error}") from error

    async def _by_keys(self, token: str) -> jwt.Token:
        """A key that we don't know may be new: the keys are read anew, at most once a minute."""
        published = await self._now()
        key_id = jws.extract_compact(token.encode()).headers().get("kid")
        known = {key.kid for key in published.keys.keys}
        stale = self.clock.now() - published.keys_read_at >= KEYS_ANEW_EVERY
        if key_id is not None and key_id not in known and stale:
            published.keys = await self._keys(published.keys_at)
            published.keys_read_at = self.clock.now()
        return jwt.decode(token, published.keys, algorithms=list(ALGORITHMS))

    async def _userinfo(self, token: Mapping[str, Any], subject: str) -> dict[str, Any]:
        published = await self._now()
        headers = {"Authorization": f"Bearer {token.get('access_token', '')}"}
        try:
            answer = await self._http().request("GET", published.userinfo, headers=headers)
            found = answer.json()
        except ConnectorError as failure:
            raise NotProven(f"it does not say more: {failure}") from failure
        if not isinstance(found, dict) or found.get("sub") != subject:
            raise NotProven("what it says is of somebody else")
        return found

    async def _now(self) -> _Published:
        """What it publishes, at most an hour old. Raises `Unavailable` with what is wrong."""
        now = self.clock.now()
        if self._published is None or now - self._published.read_at >= PUBLISHED_FOR:
            self._published = await self._read(now)
        return self._published

    async def _read(self, now: datetime) -> _Published:
        told = await self._document(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        issuer = told.get("issuer")
        if not isinstance(issuer, str) or issuer.rstrip("/") != self.issuer.rstrip("/"):
            raise Unavailable("UNANSWERED_OIDC_ISSUER is not what that service calls itself.")
        found = {name: told.get(name) for name in _NEEDED}
        if not all(isinstance(value, str) and value for value in found.values()):
            raise Unavailable("The sign-in service does not publish all that signing in needs.")
        keys_at = str(found["jwks_uri"])
        return _Published(
            issuer=issuer,
            authorize=str(found["authorization_endpoint"]),
            token=str(found["token_endpoint"]),
            keys_at=keys_at,
            userinfo=str(told.get("userinfo_endpoint") or ""),
            tells_issuer=told.get("authorization_response_iss_parameter_supported") is True,
            keys=await self._keys(keys_at),
            read_at=now,
            keys_read_at=now,
        )

    async def _keys(self, url: str) -> KeySet:
        told = await self._document(url)
        listed = told.get("keys")
        read = map(_key, listed if isinstance(listed, list) else [])
        return KeySet([key for key in read if key is not None])

    async def _document(self, url: str) -> dict[str, Any]:
        try:
            found = (await self._http().request("GET", url)).json()
        except ConnectorError as failure:
            raise Unavailable(f"The sign-in service can't be asked: {failure}") from failure
        if not isinstance(found, dict):
            raise Unavailable("The sign-in service answers with something else than expected.")
        return found

    def _http(self) -> SourceHttp:
        return self.door.for_source(secrets=[self.client.secret] if self.client.secret else [])


_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


def _key(told: Any) -> Key | None:
    """A public key for signatures; `None`: of a kind that we don't use, which is no trouble."""
    if not isinstance(told, dict) or told.get("kty") not in {"RSA", "EC", "OKP"}:
        return None
    if told.get("use", "sig") != "sig":
        return None
    try:
        return import_key(told)
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _somebody(issuer: str, claims: Mapping[str, Any]) -> Somebody:
    """`email` only where the provider says in so many words that it has verified it."""
    email = _text(claims, "email") if claims.get("email_verified") is True else ""
    return Somebody(
        issuer=issuer,
        subject=str(claims["sub"]),
        email=email.lower() if email.count("@") == 1 else "",
        name=_text(claims, "name"),
        nickname=_text(claims, "preferred_username"),
    )


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return clean(value).strip()[:200] if isinstance(value, str) else ""
