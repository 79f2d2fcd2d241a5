"""The way in through a server's own page: an app registered there, and the account it opens."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from app.connectors.asking import Http
from app.connectors.base import JsonObject
from app.connectors.failures import AuthFailed, BadResponse, Gone, PermissionMissing
from app.connectors.fediverse.entities import as_object
from app.connectors.fediverse.pages import NEEDED
from app.connectors.fediverse.server import Server
from app.connectors.oauth import Account, Client, Endpoints, Granted
from app.connectors.text import clean

APP_NAME = "Unanswered"
_METADATA = "/.well-known/oauth-authorization-server"


def base_of(settings: Any) -> str:
    """Where a server is asked: a mirror or proxy in its place, where one is set."""
    return str(settings.api_url or settings.instance)


def endpoints(settings: Any) -> Endpoints:
    """A person signs in at the server itself; the code is exchanged where the server is asked.

    The addresses in the server's metadata are not used: like those in its Link headers they carry
    the host that it believes to have, and the code would go there.
    """
    return Endpoints(
        authorize=f"{settings.instance}/oauth/authorize",
        token=f"{base_of(settings)}/oauth/token",
    )


async def register(http: Http, settings: Any, redirect_uri: str) -> Client:
    """An app of ours on this server, which may ask for what we need and nothing else.

    https://docs.joinmastodon.org/methods/apps/#create
    """
    await _refuse_unknown_scopes(http, settings)
    answer = await http.request(
        "POST",
        f"{base_of(settings)}/api/v1/apps",
        json={
            "client_name": APP_NAME,
            "redirect_uris": redirect_uri,
            "scopes": " ".join(NEEDED),
        },
        expect=(HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY),
    )
    if answer.status != HTTPStatus.OK:
        raise BadResponse(
            "The server does not take this service's address for coming back: set "
            "UNANSWERED_PUBLIC_URL, or make an application on the server and paste its token."
        )
    return parse_client(answer.json())


def parse_client(body: Any) -> Client:
    app = as_object(body, "application")
    found = [app.get(name) for name in ("client_id", "client_secret")]
    if not all(isinstance(each, str) and each for each in found):
        raise BadResponse("The server sent an application without its id or secret.")
    return Client(str(found[0]), str(found[1]))


async def _refuse_unknown_scopes(http: Http, settings: Any) -> None:
    """Mastodon 4.3 tells what it can be asked for; older servers answer 404 and know the same."""
    try:
        answer = await http.request("GET", f"{base_of(settings)}{_METADATA}")
        missing = scopes_unknown(answer.json())
    except (Gone, AuthFailed, BadResponse):
        return
    if missing:
        raise PermissionMissing(
            f"This server has no right called {', '.join(missing)}: paste a token instead.",
            rights=missing,
        )


def scopes_unknown(metadata: Any) -> tuple[str, ...]:
    """The rights we need that a server does not know; `read` stands for all that begin with it
    (Pleroma lists only such).
    """
    told = metadata.get("scopes_supported") if isinstance(metadata, dict) else None
    if not isinstance(told, list):
        return ()
    return tuple(each for each in NEEDED if each not in told and "read" not in told)


async def accounts(http: Http, granted: Granted) -> Sequence[Account]:
    """The one account that the token opens. Tokens don't expire and need no client to be kept."""
    token = token_in(granted.token)
    server = Server(
        instance=granted.settings.instance,
        base=base_of(granted.settings),
        token=token,
        http=http,
    )
    identity = (await server.who()).identity
    account = Account(
        identity.external_id,
        handle=f"{identity.handle}@{identity.instance}",
        name=identity.name,
        credential={"access_token": token},
    )
    return (account,)


def token_in(answer: JsonObject | Any) -> str:
    token = answer.get("access_token")
    if not isinstance(token, str) or not clean(token).strip():
        raise BadResponse("The server sent no access token.")
    return token
