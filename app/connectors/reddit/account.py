"""An account of Reddit: what is asked for, whose it is, how it is let in and renewed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from app.connectors import asking, base, failures, fields, oauth, renewal, tokens
from app.connectors.base import JsonObject
from app.connectors.reddit import refusals
from app.connectors.reddit.people import SITE
from app.connectors.secret import secret

API = "https://oauth.reddit.com"
CLIENT_AUTH: oauth.ClientAuth = "basic"
SCOPES = ("identity", "read", "history", "privatemessages")
EVERYTHING = "*"
_SUBREDDIT = r"[A-Za-z0-9_]{2,40}"


class Settings(base.Fields):
    """What is read beside the account's own inbox."""

    subreddits: str = Field(
        default="",
        pattern=rf"^(?:{_SUBREDDIT}(?:\+{_SUBREDDIT})*)?$",
        title="Subreddits",
        description="All posts and comments of these are read: acme, or several as acme+acmehelp.",
    )
    moderated: bool = Field(
        default=False,
        title="We moderate these subreddits",
        description="Also read what waits there for moderators, and what was removed as spam.",
    )
    query: str = Field(
        default="",
        max_length=500,
        title="Search words",
        description="Posts anywhere on Reddit that name these. Comments can't be searched.",
    )
    api_url: Annotated[str, AfterValidator(fields.as_base_url)] = Field(
        default=API, title="Address of the API", description="Of a stand-in or a proxy."
    )

    @model_validator(mode="after")
    def _moderates_something(self) -> Self:
        if self.moderated and not self.subreddits:
            raise ValueError("name the subreddits that you moderate")
        return self


class Credential(base.Fields):
    """An app that Reddit has approved, and what a consent gave it; or, for a script app, the name
    and password of the account that owns it.
    """

    client_id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,100}$", title="Client id of the app")
    client_secret: str = secret("Client secret", "Of the app.", min_length=1)
    refresh_token: str = secret(
        "Refresh token", "Given by a consent; renews the other.", default=""
    )
    username: str = Field(
        default="", title="User name", description="With a script app only: its owner."
    )
    password: str = secret("Password", "Of that user.", default="")
    access_token: str = secret("Access token", "Got by itself.", default="")
    expires_at: str = Field(default="", title="End of the access token", description="RFC 3339.")
    scope: str = Field(default="", title="Scopes", description="As Reddit granted them.")

    @model_validator(mode="after")
    def _opens_something(self) -> Self:
        if not (self.refresh_token or self.access_token or (self.username and self.password)):
            raise ValueError("give a refresh token, or user name and password of a script app")
        return self


def site_of(settings: Settings) -> str:
    return SITE if settings.api_url == API else settings.api_url


def endpoints(settings: Settings) -> oauth.Endpoints:
    """https://github.com/reddit-archive/reddit/wiki/OAuth2"""
    site = f"{site_of(settings)}/api/v1"
    return oauth.Endpoints(f"{site}/authorize", f"{site}/access_token")


def renewing(token_url: str) -> renewal.Renew:
    """A new access token: by the refresh token where there is one, else by name and password, which
    Reddit takes from a script app for its owner (RFC 6749 4.3).
    """
    by_token = renewal.by_refresh_token(token_url, client_auth=CLIENT_AUTH)

    async def renew(http: asking.Http, stored: Mapping[str, str]) -> Mapping[str, str] | None:
        if stored.get("refresh_token"):
            return await by_token(http, stored)
        if not stored.get("password"):
            return None
        answer = await tokens.ask_for_token(
            http,
            token_url,
            "password",
            {"username": stored.get("username", ""), "password": stored["password"]},
            client=oauth.Client(stored.get("client_id", ""), stored.get("client_secret", "")),
            client_auth=CLIENT_AUTH,
        )
        body = fields.as_object(answer.json())
        kept = tokens.fields_of(body, answer.received_at)
        return {**kept, "scope": fields.find_text(body, "scope")}

    return renew


def parse_identity(body: Any) -> base.Identity:
    """Whose token it is, of `GET /api/v1/me`. The token of an app alone is nobody's: Reddit answers
    it as well, with everything that belongs to an account empty.
    """
    me = fields.as_object(body)
    name, number = fields.find_text(me, "name"), fields.find_text(me, "id")
    if not name and not number and "features" in me:
        raise failures.Blind("The token belongs to the app alone: let it in as the account.")
    if not name or not number:
        raise failures.BadResponse("Reddit did not say whose token this is.")
    return base.Identity(f"t2_{number}", name, name, aliases=(name.lower(),))


def warnings_of(me: JsonObject) -> tuple[str, ...]:
    """What an operator should know about the account, a sentence each."""
    if me.get("is_suspended") is True:
        return ("Reddit has suspended this account: nobody sees what it writes.",)
    return ()


def granted_of(scope: str) -> tuple[str, ...]:
    """The scopes in an answer of the token endpoint; some apps are told them with commas."""
    return tuple(scope.replace(",", " ").split())


def missing_of(scope: str) -> tuple[str, ...]:
    """The scopes we need that were not granted; where nobody told them, none is known to lack."""
    granted = granted_of(scope)
    if not granted or EVERYTHING in granted:
        return ()
    return tuple(one for one in SCOPES if one not in granted)


async def accounts(http: asking.Http, granted: oauth.Granted) -> Sequence[oauth.Account]:
    """The one account that a consent opens."""
    settings: Settings = granted.settings
    kept = tokens.credential_of(granted)
    answer = await http.request(
        "GET",
        f"{settings.api_url}/api/v1/me",
        params=(("raw_json", "1"),),
        headers={"Authorization": f"Bearer {kept['access_token']}"},
        expect=refusals.EXPECTED,
    )
    if answer.status != 200:  # noqa: PLR2004
        raise refusals.refusal(answer, "identity")
    me = parse_identity(answer.json())
    credential = {**kept, "scope": fields.find_text(dict(granted.token), "scope")}
    return [oauth.Account(me.external_id, me.handle, me.name, credential)]
