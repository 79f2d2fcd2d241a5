"""An account of TikTok: what is asked for, whose it is, how it is let in and stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from app.connectors import asking, base, failures, fields, oauth, tokens
from app.connectors.base import JsonObject
from app.connectors.renewal import Renew
from app.connectors.secret import secret
from app.connectors.tiktok import refusals
from app.connectors.tiktok.videos import SITE

API = "https://business-api.tiktok.com"
RIGHTS = ("user.info.basic", "user.info.username", "video.list", "comment.list")
MENTIONS_RIGHT = "biz.brand.insights"
WHO = (("fields", '["username","display_name"]'),)


class Settings(base.Fields):
    """Which account, and what of it."""

    business_id: str = Field(
        pattern=r"^[A-Za-z0-9_.:=+/-]{1,200}$",
        title="Account id",
        description="The `open_id` that TikTok gave your app for the account.",
    )
    mentions: bool = Field(
        default=False,
        title="Comments elsewhere",
        description="Also comments below videos of others that name the account; the app needs the "
        f"permission Mentions ({MENTIONS_RIGHT}).",
    )
    api_url: Annotated[str, AfterValidator(fields.as_base_url)] = Field(
        default=API, title="API address", description="Of a stand-in or a proxy, else TikTok's."
    )

    @property
    def root(self) -> str:
        return f"{self.api_url}/open_api/v1.3"

    @property
    def needed(self) -> tuple[str, ...]:
        """The scopes that reading takes."""
        return (*RIGHTS, MENTIONS_RIGHT) if self.mentions else RIGHTS


class Credential(base.Fields):
    """A token of the account, good for a day, and what renews it for a year."""

    access_token: str = secret("Access token", "Of the account, good for a day.", min_length=1)
    refresh_token: str = secret(
        "Refresh token", "Renews the access token, for a year; needs id and secret.", default=""
    )
    expires_at: str = Field(default="", title="End of the access token", description="RFC 3339.")
    refresh_expires_at: str = Field(
        default="", title="End of the refresh token", description="RFC 3339."
    )
    client_id: str = Field(default="", title="App id")
    client_secret: str = secret("App secret", "Of the app that was allowed.", default="")


def parse_identity(data: JsonObject, business_id: str) -> base.Identity:
    """Our account in the answer to the question for it."""
    username = fields.find_text(data, "username")
    name = fields.find_text(data, "display_name")
    if not username and not name:
        raise failures.BadResponse("TikTok did not say whose account this is.")
    aliases = (username.lower(),) if username else ()
    return base.Identity(business_id, username or name, name, aliases=aliases)


def granted_in(data: JsonObject, business_id: str) -> tuple[str, ...]:
    """The scopes of a token. Raises `AuthFailed` where it is another account's."""
    owner = fields.find_text(data, "creator_id")
    if owner and owner != business_id:
        raise failures.AuthFailed("The token is of another account than `business_id` says.")
    return tuple(each for each in fields.find_text(data, "scope").split(",") if each)


def kept_of(data: Mapping[str, Any], received: datetime) -> dict[str, str]:
    """What a credential keeps of new tokens."""
    kept = tokens.fields_of(data, received)
    if ends := tokens.end_of(data.get("refresh_token_expires_in"), received):
        kept["refresh_expires_at"] = ends
    return kept


def by_refresh_token(root: str) -> Renew:
    """A refresh token and the app's secret buy the next token, in TikTok's own words (JSON, and
    not the form of RFC 6749).
    """

    async def renew(http: asking.Http, stored: Mapping[str, str]) -> Mapping[str, str] | None:
        refresh, client_id = stored.get("refresh_token", ""), stored.get("client_id", "")
        if not refresh or not client_id:
            return None
        asked = {"grant_type": "refresh_token", "refresh_token": refresh}
        client = oauth.Client(client_id, stored.get("client_secret", ""))
        data, received = await _ask(http, f"{root}/tt_user/oauth2/refresh_token/", client, asked)
        return kept_of(data, received)

    return renew


async def exchange(http: asking.Http, asked: oauth.Code) -> tuple[Mapping[str, Any], datetime]:
    """The tokens for a code, which is good once and for ten minutes."""
    given = {
        "grant_type": "authorization_code",
        "auth_code": asked.code,
        "redirect_uri": asked.redirect_uri,
    }
    url = f"{asked.settings.root}/tt_user/oauth2/token/"
    return await _ask(http, url, asked.client, given)


async def _ask(
    http: asking.Http, url: str, client: oauth.Client, asked: Mapping[str, str]
) -> tuple[JsonObject, datetime]:
    """Raises `TokenRefused` for an app, a code or a refresh token that TikTok does not take."""
    body = {"client_id": client.id, "client_secret": client.secret, **asked}
    answer = await http.request("POST", url, json=body, expect=refusals.EXPECTED)
    code = refusals.code_of(answer)
    if code == refusals.NO_APP:
        raise tokens.TokenRefused(refusals.BAD_APP, error="invalid_client")
    if refusals.is_of_a_token(answer) or code == refusals.MALFORMED:
        detail = "TikTok no longer takes what it was allowed with: connect the account again."
        raise tokens.TokenRefused(detail, error="invalid_grant")
    return refusals.data_of(answer, right=RIGHTS[0]), answer.received_at


def endpoints(settings: Settings) -> oauth.Endpoints:
    site = SITE if settings.api_url == API else settings.api_url
    return oauth.Endpoints(
        authorize=f"{site}/v2/auth/authorize/", token=f"{settings.root}/tt_user/oauth2/token/"
    )


async def accounts(http: asking.Http, granted: oauth.Granted) -> Sequence[oauth.Account]:
    """The one account that a consent opens."""
    settings: Settings = granted.settings
    kept = kept_of(granted.token, datetime.fromisoformat(granted.received))
    business_id = fields.get_text(dict(granted.token), "open_id")
    answer = await http.request(
        "GET",
        f"{settings.root}/business/get/",
        params=(("business_id", business_id), *WHO),
        headers={"Access-Token": kept["access_token"]},
        expect=refusals.EXPECTED,
    )
    me = parse_identity(refusals.data_of(answer, right=RIGHTS[0]), business_id)
    client = {"client_id": granted.client.id, "client_secret": granted.client.secret}
    return [
        oauth.Account(
            business_id,
            handle=me.handle,
            name=me.name,
            credential={**kept, **client},
            settings={"business_id": business_id},
        )
    ]
