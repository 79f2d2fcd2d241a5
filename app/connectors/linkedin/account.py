"""A Page on LinkedIn: what is asked for, who may read it, how it is let in, what ends when."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import AfterValidator, Field

from app.connectors import asking, base, failures, fields, oauth, tokens
from app.connectors.keeping import NotStored
from app.connectors.linkedin.rest import Rest
from app.connectors.linkedin.urns import find_urn
from app.connectors.renewal import Renewing, by_refresh_token
from app.connectors.secret import secret
from app.connectors.text import parse_time

API, WWW = "https://api.linkedin.com", "https://www.linkedin.com"
LATEST = "202608"
LIVES_MONTHS = 12
WARN_VERSION = timedelta(days=60)
WARN_TOKEN = timedelta(days=7)
ORGANIZATION = "urn:li:organization:"
PAGES_AT_MOST = 50
ADMIN = "rw_organization_admin"
SOCIAL = ("r_organization_social_feed", "r_organization_social")
SCOPES = (ADMIN, *SOCIAL)
ROLE = "ADMINISTRATOR of the Page"
_SPACE = re.compile(r"[,\s]+")


class Settings(base.Fields):
    """Which Page, and which of LinkedIn's monthly versions is spoken."""

    organization_id: str = Field(
        default="",
        pattern=r"^[0-9]{0,19}$",
        title="Page id",
        description="The number of the Page. Left empty, the one that the token's person manages.",
    )
    version: str = Field(
        default=LATEST,
        pattern=r"^20[2-9][0-9](0[1-9]|1[0-2])$",
        title="API version",
        description="Year and month (YYYYMM). LinkedIn ends each version about a year later.",
    )
    api_url: Annotated[str, AfterValidator(fields.as_base_url)] = Field(
        default=API, title="API address", description="Another server that speaks LinkedIn's API."
    )

    @property
    def us(self) -> str:
        """Our Page's URN, "" where the token is to say it."""
        return f"{ORGANIZATION}{self.organization_id}" if self.organization_id else ""

    @property
    def www(self) -> str:
        """Where tokens are given out and looked at."""
        return WWW if self.api_url == API else self.api_url


class Credential(base.Fields):
    """A token of a person who manages the Page. Few apps are given one that renews it."""

    access_token: str = secret("Access token", "Of an administrator of the Page.", min_length=1)
    refresh_token: str = secret("Refresh token", "Only approved partners get one.", default="")
    expires_at: str = Field(default="", title="End of the access token", description="RFC 3339.")
    client_id: str = Field(default="", title="Client id of the app")
    client_secret: str = secret("Client secret", "Shows the token's rights.", default="")


def rest_of(
    http: asking.Http,
    settings: Settings,
    credential: dict[str, str],
    save_credential: base.SaveCredential,
) -> tuple[Rest, Renewing]:
    renewing = Renewing(
        credential=credential,
        renew=by_refresh_token(f"{settings.www}/oauth/v2/accessToken"),
        http=http,
        save_credential=save_credential,
    )
    rest = Rest(http=http, root=settings.api_url, version=settings.version, renewing=renewing)
    return rest, renewing


async def managed(rest: Rest) -> Sequence[str]:
    """URNs of the Pages that the token's person manages."""
    try:
        reply = await rest.page(
            "organizationAcls", "q=roleAssignee", "role=ADMINISTRATOR", "state=APPROVED"
        )
    except failures.PermissionMissing as error:
        raise failures.PermissionMissing(error.detail, rights=(ADMIN,)) from None
    found = (_page_in(row) for row in reply.rows)
    return list(dict.fromkeys(urn for urn in found if urn))


def _page_in(row: Any) -> str | None:
    """The Page of a role that holds; older versions call it by another name."""
    if not isinstance(row, dict) or not fields.is_among(row, "state", {None, "APPROVED"}):
        return None
    urn = find_urn(row.get("organization")) or find_urn(row.get("organizationalTarget"))
    return urn if urn and urn.startswith(ORGANIZATION) else None


def chosen(wanted: str, pages: Sequence[str]) -> str:
    """Our Page among those that the person manages."""
    if wanted:
        if wanted not in pages:
            raise failures.PermissionMissing(
                "The person whose token this is does not manage this Page.", rights=(ROLE,)
            )
        return wanted
    if not pages:
        detail = "The person whose token this is manages no Page."
        raise failures.PermissionMissing(detail, rights=(ROLE,))
    if len(pages) > 1:
        numbers = ", ".join(urn.removeprefix(ORGANIZATION) for urn in pages[:PAGES_AT_MOST])
        raise failures.BadResponse(
            f"This token opens several Pages: set `organization_id` to one of {numbers}."
        )
    return pages[0]


async def identity_of(rest: Rest, us: str) -> base.Identity:
    """The Page with its name, where LinkedIn tells it."""
    number = us.removeprefix(ORGANIZATION)
    aliases = (f"urn:li:company:{number}",)
    try:
        body = (await rest.get(f"organizations/{number}", item=True)).body
    except (failures.PermissionMissing, failures.Gone):
        return base.Identity(us, number, aliases=aliases)
    handle = fields.find_text(body, "vanityName") or number
    return base.Identity(us, handle, fields.find_text(body, "localizedName"), aliases=aliases)


@dataclass(frozen=True, slots=True)
class Token:
    """What LinkedIn says of a token to the app that made it; `scopes` are `None` where unknown."""

    scopes: tuple[str, ...] | None = None
    expires_at: datetime | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        if self.scopes is None:
            return ()
        lacking = () if ADMIN in self.scopes else (ADMIN,)
        return lacking if set(SOCIAL) & set(self.scopes) else (*lacking, SOCIAL[0])


async def inspect(http: asking.Http, settings: Settings, credential: dict[str, str]) -> Token:
    """Looks at the token with the app's secret. Where LinkedIn tells nothing the rights are
    unknown, not missing.
    """
    form = {
        "client_id": credential.get("client_id", ""),
        "client_secret": credential.get("client_secret", ""),
        "token": credential["access_token"],
    }
    if not all(form.values()):
        return Token()
    try:
        answer = await http.request(
            "POST",
            f"{settings.www}/oauth/v2/introspectToken",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            content=urlencode(form).encode("ascii"),
        )
        told = fields.as_object(answer.json())
    except (failures.AuthFailed, failures.BadResponse, failures.Gone):
        return Token()  # of an app that may not ask, or of another one
    if told.get("active") is False:
        raise failures.AuthFailed("The token has ended or was taken back: connect again.")
    scope = fields.find_text(told, "scope")
    scopes = tuple(each for each in _SPACE.split(scope) if each) if scope else None
    return Token(scopes, parse_time(told.get("expires_at")))


def version_ends(version: str) -> datetime:
    """The earliest end of a version: each is promised a year."""
    months = int(version[:4]) * 12 + int(version[4:]) - 1 + LIVES_MONTHS
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)


def warnings(
    settings: Settings, now: datetime | None, ends: datetime | None, *, renewed: bool
) -> Sequence[str]:
    """What an operator must see to before it ends."""
    if now is None:
        return ()
    found = []
    if (version_end := version_ends(settings.version)) - now < WARN_VERSION:
        found.append(
            f"LinkedIn may end version {settings.version} of its API from {version_end:%B %Y} on: "
            "set `version` to a newer one."
        )
    if ends is not None and not renewed and ends - now < WARN_TOKEN:
        found.append(
            f"The token ends on {ends:%Y-%m-%d} and can't be renewed by itself: connect again."
        )
    return tuple(found)


def endpoints(settings: Settings) -> oauth.Endpoints:
    return oauth.Endpoints(
        authorize=f"{settings.www}/oauth/v2/authorization",
        token=f"{settings.www}/oauth/v2/accessToken",
    )


async def accounts(http: asking.Http, granted: oauth.Granted) -> Sequence[oauth.Account]:
    """One for each Page that the person manages."""
    settings: Settings = granted.settings
    kept = tokens.credential_of(granted)
    rest, _ = rest_of(http, settings, kept, NotStored())
    pages = await managed(rest)
    if not pages:
        chosen("", pages)
    found = [await identity_of(rest, urn) for urn in pages[:PAGES_AT_MOST]]
    return [
        oauth.Account(
            each.external_id,
            each.handle,
            each.name,
            kept,
            {"organization_id": each.external_id.removeprefix(ORGANIZATION)},
        )
        for each in found
    ]
