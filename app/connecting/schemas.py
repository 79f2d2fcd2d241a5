"""What connecting through a platform's page looks like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row

from app.clock import Stamp, stamp
from app.connecting.service import status_of


class WayIn(msgspec.Struct, kw_only=True):
    """What connecting a platform through its own page takes. `client`: needed (an app of yours must
    be made on the platform, with `redirect_uri`), configured (its id is set here) or registered
    (made by itself). `chosen` names settings that come with the account.
    """

    platform: str
    redirect_uri: str
    client: str
    scopes: list[str]
    chosen: list[str]


class OpenedAccount(msgspec.Struct, kw_only=True):
    id: str
    handle: str
    name: str


class NotConnected(msgspec.Struct, kw_only=True):
    """Why a platform was not connected. `code`: access_denied, refused, wrong_issuer, code_refused,
    no_account, or the `error.code` of a check.
    """

    code: str
    detail: str


class ConnectionOut(msgspec.Struct, kw_only=True):
    """A way through a platform's page. `status`: waiting (for a person there), asking, allowed (an
    account can be chosen until `expires_at`), saving, connected, failed, expired. Two addresses are
    told once, to whoever begins: `authorize_url` for the browser that has the cookie of that answer
    (or for one whose last address is handed in with it), `open_url` for any other browser.
    `source_id`: the source that is connected again or that came of it.
    """

    id: int
    platform: str
    status: str
    authorize_url: str | None
    open_url: str | None
    redirect_uri: str
    accounts: list[OpenedAccount]
    source_id: int | None
    error: NotConnected | None
    created_at: Stamp
    expires_at: Stamp


def connection_out(
    row: Row[Any], now: datetime, address: str | None = None, open_url: str | None = None
) -> ConnectionOut:
    error = None
    if row.error_code is not None:
        error = NotConnected(code=row.error_code, detail=row.error_detail or "")
    return ConnectionOut(
        id=row.id,
        platform=row.platform,
        status=status_of(row, now),
        authorize_url=address,
        open_url=open_url,
        redirect_uri=row.redirect_uri,
        accounts=[OpenedAccount(**each) for each in row.accounts],
        source_id=row.source_id,
        error=error,
        created_at=stamp(row.created_at),
        expires_at=stamp(row.expires_at),
    )
