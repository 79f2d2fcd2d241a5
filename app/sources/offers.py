"""What platforms look like on the wire: what can be connected, how, and on which terms."""

from __future__ import annotations

from typing import Any

import msgspec

from app.connectors.base import Platform
from app.connectors.oauth import OAuth
from app.connectors.terms import Retention
from app.sources.schemas import BudgetOut, budget_out
from app.web.formats import format_duration


class AccessOut(msgspec.Struct, kw_only=True):
    """What stands between an operator and a credential: what is to be applied for ("": nothing),
    the shortest way for one's own account, and what reading costs.
    """

    review: str
    shortest: str
    price: str


class RetentionOut(msgspec.Struct, kw_only=True):
    """The platform's duty for what is kept of it. After `refresh_within` (ISO 8601) a message must
    have been read again; `wipe_gone`: the text of what is deleted there goes here too.
    """

    source: str
    refresh_within: str | None
    wipe_gone: bool


class OAuthOut(msgspec.Struct, kw_only=True):
    """Whether it can be connected through its own page (`POST /connect/{platform}`), whether an app
    of yours must be made there first, which rights it asks for, and which settings come with the
    account.
    """

    offered: bool
    needs_client: bool
    scopes: list[str]
    chosen: list[str]


class PlatformOut(msgspec.Struct, kw_only=True):
    """What can be connected, and with which fields (JSON Schema)."""

    name: str
    title: str
    settings_schema: dict[str, Any]
    credential_schema: dict[str, Any] | None
    credential_required: bool
    capabilities: dict[str, Any]
    default_interval: int
    minimum_interval: int
    notes: list[str]
    docs: str
    access: AccessOut
    retention: RetentionOut | None
    oauth: OAuthOut
    quota: BudgetOut | None


class PlatformList(msgspec.Struct, kw_only=True):
    items: list[PlatformOut]
    next_cursor: str | None = None


def _retention_out(retention: Retention | None) -> RetentionOut | None:
    if retention is None:
        return None
    within = retention.refresh_within
    return RetentionOut(
        source=retention.source,
        refresh_within=None if within is None else format_duration(within),
        wipe_gone=retention.wipe_gone,
    )


def _oauth_out(oauth: OAuth | None) -> OAuthOut:
    return OAuthOut(
        offered=oauth is not None,
        needs_client=oauth is not None and oauth.register is None,
        scopes=[] if oauth is None else list(oauth.scopes),
        chosen=[] if oauth is None else list(oauth.chosen),
    )


def platform_out(platform: Platform) -> PlatformOut:
    credential = platform.credential
    return PlatformOut(
        name=platform.name,
        title=platform.title,
        settings_schema=platform.settings.model_json_schema(),
        credential_schema=None if credential is None else credential.model_json_schema(),
        credential_required=platform.credential_required,
        capabilities=msgspec.to_builtins(platform.capabilities),
        default_interval=int(platform.default_interval.total_seconds()),
        minimum_interval=int(platform.minimum_interval.total_seconds()),
        notes=list(platform.notes),
        docs=platform.docs,
        access=msgspec.convert(platform.access, AccessOut, from_attributes=True),
        retention=_retention_out(platform.retention),
        oauth=_oauth_out(platform.oauth),
        quota=budget_out(platform.quota),
    )
