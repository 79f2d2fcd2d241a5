"""An account on a server of Lemmy, or a community that is read without one: what is asked for."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from app.connectors import base, failures, fields
from app.connectors.base import JsonObject
from app.connectors.fields import as_base_url
from app.connectors.lemmy import views
from app.connectors.secret import secret

_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?(?::[0-9]{1,5})?"


class Settings(base.Fields):
    """Which server, and which of its communities."""

    instance: Annotated[str, AfterValidator(as_base_url)] = Field(
        title="Server", description="Base URL of the server, such as https://lemmy.world"
    )
    community: str = Field(
        default="",
        pattern=rf"^(?:[A-Za-z0-9_]{{1,60}}(?:@{_HOST})?)?$",
        title="Community",
        description="All of it is read, without an account: acme, or acme@lemmy.example of another "
        "server.",
    )
    api_url: Annotated[str, AfterValidator(as_base_url)] | None = Field(
        default=None,
        title="Address of another server",
        description="Asked instead of the server: a mirror, a proxy or a test server.",
    )


class Credential(base.Fields):
    """Name and password, or the token of a session that somebody has begun elsewhere."""

    username: str = Field(default="", title="User name", description="Or the e-mail address.")
    password: str = secret("Password", "Of that user.", default="")
    totp: str = secret(
        "One-time code", "Six digits, where the account asks for them at sign-in.", default=""
    )
    access_token: str = secret("Token", "Got by signing in, or pasted.", default="")

    @model_validator(mode="after")
    def _opens_something(self) -> Self:
        if not self.access_token and not (self.username and self.password):
            raise ValueError("give user name and password, or a token")
        return self


def parse_me(body: Any) -> tuple[base.Identity, str, JsonObject]:
    """Who we are, our number on this server, and our person as the server tells it, from
    `local_user_view` of `GET /account` (v4) or of `my_user` in `GET /site` (v3).
    """
    about = fields.as_object(fields.as_object(body).get("local_user_view"))
    person = fields.as_object(about.get("person"))
    me = views.parse_person(person)
    names = (me.handle.lower(),)
    found = base.Identity(me.external_id, me.handle, me.display_name, aliases=names)
    return found, fields.get_id(person, "id"), person


def warnings_of(body: JsonObject, person: JsonObject) -> tuple[str, ...]:
    """What an operator should know about our own account, a sentence each."""
    about = body.get("local_user_view")
    local = about.get("local_user") if isinstance(about, dict) else None
    told = []
    if person.get("banned") is True or (isinstance(about, dict) and about.get("banned") is True):
        told.append("The server has banned this account.")
    if isinstance(local, dict) and local.get("show_bot_accounts") is False:
        told.append("The account hides what bots write: the server leaves it out here as well.")
    return tuple(told)


def parse_languages(site: JsonObject) -> dict[int, str]:
    """The codes of the server's languages by their numbers; 0 means that none was chosen."""
    rows = site.get("all_languages")
    found: dict[int, str] = {}
    for row in rows if isinstance(rows, list) else ():
        number, code = (row.get("id"), row.get("code")) if isinstance(row, dict) else (None, None)
        if type(number) is int and isinstance(code, str) and code not in {"", "und"}:
            found[number] = code
    return found


def nothing_to_read() -> failures.BadResponse:
    return failures.BadResponse("Name a community, or give an account: else nothing can be read.")
