"""What a person's consent opens: the Pages, and the Instagram accounts linked to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from app.connectors.asking import Http
from app.connectors.base import JsonObject
from app.connectors.failures import BadResponse, PermissionMissing
from app.connectors.fields import as_object, find_text
from app.connectors.meta.graph import EXPECTED, VERSION, Graph
from app.connectors.meta.nodes import find_node_id
from app.connectors.meta.refusals import refusal
from app.connectors.oauth import Account, Client, Granted

MODERATE = "MODERATE"
A_LONG_TIME = 10**9  # seconds
PAGES_AT_MOST = 20  # requests; nobody looks after more than 2,000 Pages


async def longer_user_token(http: Http, granted: Granted, root: str) -> str:
    """The token of a consent, good for an hour or two, exchanged for one of about 60 days: Page
    tokens made with that have no date of expiry.
    """
    token, _ = await _with_end(
        http,
        f"{root}/{VERSION}/oauth/access_token",
        ("grant_type", "fb_exchange_token"),
        ("client_id", granted.client.id),
        ("client_secret", granted.client.secret),
        ("fb_exchange_token", short_token(granted)),
    )
    return token


async def longer_instagram_token(http: Http, granted: Granted, root: str) -> tuple[str, str]:
    """The token of a consent on Instagram, exchanged for one of 60 days, and when it ends (RFC 3339
    UTC, "" where Meta does not say).
    """
    return await _with_end(
        http,
        f"{root}/access_token",
        ("grant_type", "ig_exchange_token"),
        ("client_secret", granted.client.secret),
        ("access_token", short_token(granted)),
    )


async def renewed_instagram_token(http: Http, root: str, token: str) -> tuple[str, str]:
    """A token of Instagram made good for another 60 days, and when it ends. Refused within a day of
    its making, and once it has expired.
    """
    return await _with_end(
        http,
        f"{root}/refresh_access_token",
        ("grant_type", "ig_refresh_token"),
        ("access_token", token),
    )


def short_token(granted: Granted) -> str:
    """The token in the answer of a token endpoint; Instagram's is sometimes wrapped in a list."""
    told: JsonObject = dict(granted.token)
    wrapped = told.get("data")
    if isinstance(wrapped, list) and wrapped and isinstance(wrapped[0], dict):
        told = wrapped[0]
    if not (token := find_text(told, "access_token")):
        raise BadResponse("Meta's consent brought no token.")
    return token


async def pages_of(
    graph: Graph, fields: str, make: Callable[[JsonObject], Account | None]
) -> Sequence[Account]:
    """One account for each Page on which the person may moderate, as `make` sees it. Where there
    is none, the reason is said instead of an empty list.
    """
    found: list[Account] = []
    without_task = 0
    place = None
    for _ in range(PAGES_AT_MOST):
        reply = await graph.get("me/accounts", ("fields", fields), ("limit", "100"), place=place)
        for row in reply.rows:
            if not isinstance(row, dict) or not find_text(row, "access_token"):
                continue
            if not may_moderate(row):
                without_task += 1
            elif (account := make(row)) is not None:
                found.append(account)
        if (place := reply.place) is None:
            break
    if not found and without_task:
        raise PermissionMissing("On none of these Pages this person may moderate.")
    if not found:
        raise PermissionMissing(
            "The consent opened no Page: choose the Page in Meta's dialogue.",
            rights=("pages_show_list",),
        )
    return found


def may_moderate(row: JsonObject) -> bool:
    """Whether the person has the task that reading comments takes; older answers tell no tasks."""
    tasks = row.get("tasks")
    return not isinstance(tasks, list) or MODERATE in tasks


def credential_of(token: str, client: Client) -> dict[str, str]:
    return {"access_token": token, "app_id": client.id, "app_secret": client.secret}


def page_account(row: JsonObject, client: Client) -> Account | None:
    """A Page of `/me/accounts` as a source to connect."""
    if (page_id := find_node_id(row)) is None:
        return None
    return Account(
        page_id,
        handle=find_text(row, "username") or find_text(row, "name"),
        name=find_text(row, "name"),
        credential=credential_of(find_text(row, "access_token"), client),
        settings={"page_id": page_id},
    )


def linked_account(row: JsonObject, client: Client) -> Account | None:
    """The Instagram account linked to a Page; `None` where there is none."""
    linked: Any = row.get("instagram_business_account")
    if (account_id := find_node_id(linked)) is None:
        return None
    return Account(
        account_id,
        handle=find_text(linked, "username"),
        name=find_text(linked, "name"),
        credential=credential_of(find_text(row, "access_token"), client),
        settings={"login": "facebook", "account_id": account_id},
    )


async def _with_end(http: Http, url: str, *params: tuple[str, str]) -> tuple[str, str]:
    """A token, and when it ends by the clock of the answer."""
    answer = await http.request("GET", url, params=params, expect=EXPECTED)
    if (failure := refusal(answer)) is not None:
        raise failure
    body = as_object(answer.json())
    if not (token := find_text(body, "access_token")):
        raise BadResponse("Meta sent no token.")
    seconds = body.get("expires_in")
    if type(seconds) is not int or not 0 < seconds < A_LONG_TIME:
        return token, ""
    return token, (answer.received_at + timedelta(seconds=seconds)).isoformat()
