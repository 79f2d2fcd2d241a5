"""A channel on YouTube: what is asked for, whose it is, how it is let in, what a day takes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from app.connectors import asking, base, failures, fields, oauth, terms, tokens
from app.connectors.base import JsonObject, Page
from app.connectors.secret import secret
from app.connectors.youtube import comments, refusals

API = "https://youtube.googleapis.com/youtube/v3"
GOOGLE_TOKENS = "https://oauth2.googleapis.com/token"
GOOGLE_CONSENT = "https://accounts.google.com/o/oauth2/v2/auth"
UNITS = 10_000
_PROJECT = re.compile(r"([0-9]{6,20})-[A-Za-z0-9_]")
INTERVAL = timedelta(minutes=5)
HELD_INTERVAL = timedelta(minutes=15)
SPAM_INTERVAL = timedelta(hours=1)


class Settings(base.Fields):
    """Which channel."""

    channel: str | None = Field(
        default=None,
        pattern=r"^(UC[A-Za-z0-9_-]{22}|@[^\s/@]{3,60})$",
        title="Channel",
        description="Its id (UC…) or @handle. Needed with an API key; a consent tells it.",
    )
    subscribers: bool = Field(
        default=True,
        title="Subscribers",
        description="Also read who has subscribed in public (by consent only).",
    )
    api_url: Annotated[str, AfterValidator(fields.as_base_url)] = Field(
        default=API, title="Address of the API", description="Of a stand-in or a proxy."
    )


class Credential(base.Fields):
    """An API key (published comments), or what a consent gave (held and probable spam too)."""

    api_key: str = secret(
        "API key", "Of a Google project; reads published comments only.", default=""
    )
    access_token: str = secret("Access token", "Given by a consent.", default="")
    refresh_token: str = secret("Refresh token", "Renews the access token.", default="")
    expires_at: str = Field(default="", title="End of the access token", description="RFC 3339.")
    client_id: str = Field(default="", title="Client id of the app")
    client_secret: str = secret("Client secret", "Of the app.", default="")
    scope: str = Field(default="", title="Scopes", description="As Google granted them.")

    @model_validator(mode="after")
    def _has_something(self) -> Self:
        if not self.api_key and not self.access_token:
            raise ValueError("give an API key, or connect by Google's own page")
        return self


def project_of(credential: Credential) -> str:
    """Whose units a credential uses: a Google project's. Its number begins the id of each of its
    clients; a key does not tell of which project it is, so each stands for itself.
    """
    if not credential.access_token:
        return f"key {credential.api_key}"
    number = _PROJECT.match(credential.client_id)
    named = number[1] if number else credential.client_id
    return f"project {named}" if named else ""


def parse_identity(body: Any, *, mine: bool) -> base.Identity:
    """The channel that an answer is about."""
    rows = comments.items_of(body)
    if not rows:
        if mine:
            raise failures.Blind("The Google account has no channel, or another one was chosen.")
        raise failures.Gone("YouTube knows no such channel.")
    row = fields.as_object(rows[0])
    if (external_id := comments.text_id(row)) is None:
        raise failures.BadResponse("YouTube did not say which channel this is.")
    snippet = row.get("snippet")
    about: JsonObject = snippet if isinstance(snippet, dict) else {}
    handle = fields.find_text(about, "customUrl").removeprefix("@").lower()
    name = fields.find_text(about, "title")
    return base.Identity(external_id, handle, name, aliases=(handle,) if handle else ())


def estimate(page: Page, now: datetime, *, signed_in: bool) -> terms.Estimate:
    """Units a day at the default interval: one for a look at each list, one for each hundred
    comments of a daily look at everything, about two for new comments with titles and authors.
    """
    looks = timedelta(days=1) / INTERVAL + 24
    if signed_in:
        looks += timedelta(days=1) / HELD_INTERVAL + 2 * timedelta(days=1) / SPAM_INTERVAL
    times = [one.occurred_at for one in page.mentions if one.occurred_at is not None]
    days = max((now - min(times)) / timedelta(days=1), 1 / 24) if times else 1.0
    a_day = len(times) / days
    detail = (
        f"{looks:.0f} units for looking every {INTERVAL // timedelta(minutes=1)} minutes, and "
        f"about two for each of {a_day:.1f} comments a day; a daily look at all comments takes "
        "one for each hundred. A Google project has 10,000 a day."
    )
    return terms.Estimate("units", round(looks + 2 * a_day, 1), detail)


def endpoints(settings: Settings) -> oauth.Endpoints:
    if settings.api_url == API:
        return oauth.Endpoints(GOOGLE_CONSENT, GOOGLE_TOKENS)
    return oauth.Endpoints(f"{settings.api_url}/o/oauth2/v2/auth", f"{settings.api_url}/token")


async def accounts(http: asking.Http, granted: oauth.Granted) -> Sequence[oauth.Account]:
    """The one channel that was chosen at the consent."""
    settings: Settings = granted.settings
    kept = tokens.credential_of(granted)
    answer = await http.request(
        "GET",
        f"{settings.api_url}/channels",
        params=(("part", "id,snippet"), ("mine", "true")),
        headers={"Authorization": f"Bearer {kept['access_token']}"},
        expect=refusals.EXPECTED,
    )
    if answer.status != 200:  # noqa: PLR2004
        raise refusals.refusal(answer, refusals.reasons_of(answer), paged=False)
    me = parse_identity(answer.json(), mine=True)
    credential = {**kept, "scope": fields.find_text(dict(granted.token), "scope")}
    return [oauth.Account(me.external_id, me.handle, me.name, credential)]
