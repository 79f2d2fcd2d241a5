"""An account of X: what is asked for, whose it is, what it is going to cost, how it is let in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from app.connectors import asking, base, failures, fields, oauth, terms, tokens
from app.connectors.base import JsonObject, Page
from app.connectors.secret import secret
from app.connectors.x import ledger, posts, refusals
from app.connectors.x.people import SITE

API = "https://api.x.com"
CLIENT_AUTH: oauth.ClientAuth = "basic"
SCOPES = ("tweet.read", "users.read", "follows.read", "offline.access")
THRIFT = terms.Thrift(rereads=(timedelta(minutes=31), timedelta(days=1), timedelta(days=7)))


class Settings(base.Fields):
    """Which account, and what of it; whatever is read is paid for."""

    username: str | None = Field(
        default=None,
        pattern=r"^@?[A-Za-z0-9_]{1,15}$",
        title="User name",
        description="Needed with an app's own token; a user's token tells it by itself.",
    )
    own_app: bool = Field(
        default=False,
        title="The account owns the developer app",
        description="X then charges a fifth for the account's own mentions and posts.",
    )
    quotes: bool = Field(
        default=True,
        title="Quotes",
        description="Also read posts that quote ours without naming us.",
    )
    followers: bool = Field(
        default=False,
        title="Followers",
        description="Read the list of followers once a day: every one of them is paid each time.",
    )
    api_url: Annotated[str, AfterValidator(fields.as_base_url)] = Field(
        default=API, title="Address of the API", description="Of a stand-in or a proxy, else X's."
    )


class Credential(base.Fields):
    """A user's token (OAuth 2.0, with what renews it; or OAuth 1.0a, with its secret and the app's
    key), or the bearer token of an app.
    """

    access_token: str = secret(
        "Access token", "A user's, or the bearer token of an app.", min_length=1
    )
    refresh_token: str = secret("Refresh token", "Renews the access token; single use.", default="")
    expires_at: str = Field(default="", title="End of the access token", description="RFC 3339.")
    client_id: str = Field(default="", title="Client id of the app")
    client_secret: str = secret("Client secret", "Of a confidential app.", default="")
    scope: str = Field(default="", title="Scopes", description="As X granted them.")
    token_secret: str = secret(
        "Access token secret", "Of a user's token that X shows in its console.", default=""
    )
    api_key: str = Field(default="", title="API key", description="Goes with that secret.")
    api_secret: str = secret("API key secret", "Goes with that secret.", default="")

    @model_validator(mode="after")
    def _signs_with_all(self) -> Self:
        if len({bool(each) for each in (self.token_secret, self.api_key, self.api_secret)}) > 1:
            raise ValueError("give token_secret, api_key and api_secret together, or none of them")
        return self


def parse_identity(body: Any) -> tuple[base.Identity, JsonObject]:
    """Who we are, and our user as X tells it."""
    user = body.get("data") if isinstance(body, dict) else None
    if not isinstance(user, dict) and posts.gone_in(body):
        raise failures.Gone("X knows no user of this name.")
    if not isinstance(user, dict) or (external_id := fields.find_id(user)) is None:
        raise failures.BadResponse("X did not say whose token this is.")
    handle = fields.find_text(user, "username")
    name = fields.find_text(user, "name")
    aliases = (handle.lower(),) if handle else ()
    return base.Identity(external_id, handle, name, aliases=aliases), user


def estimate(settings: Settings, page: Page, now: datetime, user: JsonObject) -> terms.Estimate:
    """What a day costs by the mentions just seen. The interval makes no difference: an empty
    answer is free, and the same post is charged once a day.
    """
    times = [one.occurred_at for one in page.mentions if one.occurred_at is not None]
    days = max((now - min(times)) / timedelta(days=1), 1 / 24) if times else 1.0
    a_day = len(times) / days
    first = ledger.OWNED if settings.own_app else ledger.POST
    again = len(THRIFT.rereads) * ledger.POST
    per_day = a_day * (first + ledger.USER + again)
    told = f"{a_day:.1f} mentions a day, each with its author and {len(THRIFT.rereads)} later looks"
    if settings.followers:
        metrics = user.get("public_metrics")
        known = metrics.get("followers_count") if isinstance(metrics, dict) else None
        count = known if type(known) is int and 0 <= known < fields.LARGEST else 0
        per_day += count * (ledger.OWNED if settings.own_app else ledger.USER)
        told += f"; {count} followers, all of them every day"
    return terms.Estimate("USD", round(per_day, 4), f"{told}. An empty poll is free.")


def endpoints(settings: Settings) -> oauth.Endpoints:
    site = SITE if settings.api_url == API else settings.api_url
    return oauth.Endpoints(f"{site}/i/oauth2/authorize", f"{settings.api_url}/2/oauth2/token")


async def accounts(http: asking.Http, granted: oauth.Granted) -> Sequence[oauth.Account]:
    """The one account that a consent opens."""
    settings: Settings = granted.settings
    token = fields.get_text(dict(granted.token), "access_token")
    answer = await http.request(
        "GET",
        f"{settings.api_url}/2/users/me",
        headers={"Authorization": f"Bearer {token}"},
        expect=refusals.EXPECTED,
    )
    if answer.status != 200:  # noqa: PLR2004
        raise refusals.refusal(answer, paged=False, right="users.read")
    me, _ = parse_identity(answer.json())
    scope = fields.find_text(dict(granted.token), "scope")
    credential = {**tokens.credential_of(granted), "scope": scope}
    return [oauth.Account(me.external_id, me.handle, me.name, credential)]
