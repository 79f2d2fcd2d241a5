"""How a person lets us in through a platform's own page (OAuth 2.0, RFC 6749 4.1; PKCE, RFC 7636).

A platform declares it, `app/connecting` walks the way; connectors renew what they were given.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from app.connectors.asking import Http

ClientAuth = Literal["basic", "body"]
"""How an app with a secret proves itself at the token endpoint (RFC 6749 2.3.1)."""


@dataclass(frozen=True, slots=True)
class Client:
    """The app by which a platform knows the operator; a public one has no secret."""

    id: str
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Absolute URLs: where a person is sent, and where the code is exchanged. `issuer` is what the
    platform calls itself (`iss`, RFC 9207), where it says so in its documents.
    """

    authorize: str
    token: str
    issuer: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """One account that a consent opens. `credential` fits the platform's credential model,
    `settings` are those that choose the account (a Page's id), to be laid over what was given.
    """

    external_id: str
    handle: str = ""
    name: str = ""
    credential: Mapping[str, str] = field(default_factory=dict, repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Granted:
    """What the token endpoint answered, with what was used to ask: `token` as it came, `received`
    as the platform's own clock tells it (RFC 3339 UTC), `client` to be kept for renewals.
    """

    settings: Any
    client: Client
    token: Mapping[str, Any] = field(repr=False)
    received: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """What a person brought back from the platform's page, and what it was asked for with."""

    settings: Any
    client: Client
    code: str = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class OAuth:
    """A platform's way in.

    `endpoints` and the two functions are given the platform's settings model. `accounts` turns a
    token into the accounts it opens (often one; a person's Pages can be many) and may exchange it
    for a longer one; it raises `ConnectorError`s only. `scopes_of` gives the scopes where the
    settings decide which they are, instead of `scopes`. `register` makes an app of ours on a server
    that has none yet; where there is none, the operator registers one and gives us its id.
    `extra` is added to the address a person is sent to. `client_field` is what the platform calls
    the app's id. With `pkce` false the platform knows no PKCE; the verifier is not sent then.
    `chosen` names settings that come with the account (`Account.settings`): at the start they may
    be left out, and the two functions see them as `None`.
    `exchange` turns a code into the answer of the token endpoint and when that came, where the
    endpoint does not speak RFC 6749; it raises `TokenRefused` for a code or an app that is not
    taken. `ends_with_slash`: the platform takes no redirect URI that does not.
    """

    scopes: tuple[str, ...]
    endpoints: Callable[[Any], Endpoints]
    accounts: Callable[[Http, Granted], Awaitable[Sequence[Account]]]
    register: Callable[[Http, Any, str], Awaitable[Client]] | None = None
    pkce: bool = True
    scope_separator: str = " "
    client_auth: ClientAuth = "body"
    client_field: str = "client_id"
    chosen: tuple[str, ...] = ()
    scopes_of: Callable[[Any], tuple[str, ...]] | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    exchange: Callable[[Http, Code], Awaitable[tuple[Mapping[str, Any], datetime]]] | None = None
    ends_with_slash: bool = False
