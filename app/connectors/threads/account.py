"""An account of Threads: what is asked for, whose it is, how it is let in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from app.connectors import asking, base, fields, oauth
from app.connectors.meta import consent, nodes
from app.connectors.meta.graph import Graph
from app.connectors.meta.media import Us
from app.connectors.renewal import Renewing
from app.connectors.secret import secret

API, CONSENT = "https://graph.threads.net", "https://threads.com"
VERSION = "v1.0"
WHO = ("fields", "id,username,name")


class Settings(base.Fields):
    """The token says which account."""

    approvals: bool = Field(
        default=False,
        title="Read replies that wait",
        description="Also those that wait for approval, below posts that ask for it.",
    )
    api_url: Annotated[str, AfterValidator(fields.as_base_url)] = Field(
        default=API, title="API address", description="Another server that speaks the Threads API."
    )


class Credential(base.Fields):
    """A token of the account, which is renewed by itself."""

    access_token: str = secret(
        "Access token", "Of the account, made by an app with the Threads use case.", min_length=1
    )
    client_id: str = Field(default="", title="Threads app id")
    client_secret: str = secret("Threads app secret", "Not that of the Meta app.", default="")
    expires_at: str = Field(
        default="", title="Token ends at", description="Filled in when the token is renewed."
    )


def graph(
    http: asking.Http, settings: Settings, token: str, renewing: Renewing | None = None
) -> Graph:
    """Asks the Threads API, which is the Graph API under another name and version."""
    return Graph(
        http=http,
        root=settings.api_url,
        token=token,
        renewing=renewing,
        version=VERSION,
        by_cursor=True,  # Meta's examples of Threads name no next page
    )


def parse_account(body: base.JsonObject) -> tuple[Us, base.Identity]:
    """Our account in the answer to the question for it."""
    us = Us(nodes.node_id(body), fields.find_text(body, "username"))
    aliases = tuple(sorted(us.names - {us.external_id}))
    name = fields.find_text(body, "name")
    return us, base.Identity(us.external_id, us.username, name, aliases=aliases)


def endpoints(settings: Settings) -> oauth.Endpoints:
    page = CONSENT if settings.api_url == API else settings.api_url
    return oauth.Endpoints(
        authorize=f"{page}/oauth/authorize", token=f"{settings.api_url}/oauth/access_token"
    )


async def accounts(http: asking.Http, granted: oauth.Granted) -> Sequence[oauth.Account]:
    """The one account that was signed in with."""
    settings: Settings = granted.settings
    longer = await consent.longer_account_token(http, granted, settings.api_url, "th")
    token = longer["access_token"]
    reply = await graph(http, settings, token).get("me", WHO)
    _, me = parse_account(reply.body)
    credential = {**consent.credential_of(token, granted.client), **longer}
    return [oauth.Account(me.external_id, me.handle, me.name, credential)]
