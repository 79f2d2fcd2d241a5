"""What a person's consent opens: Pages, and accounts of Instagram and Threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from app.connectors.asking import Http
from app.connectors.base import JsonObject
from app.connectors.failures import BadResponse, PermissionMissing
from app.connectors.fields import as_object, find_text
from app.connectors.meta.graph import EXPECTED, VERSION, Graph
from app.connectors.meta.nodes import find_node_id
from app.connectors.meta.refusals import refusal
from app.connectors.oauth import Account, Client, Granted
from app.connectors.renewal import Renew
from app.connectors.tokens import fields_of

Where = Literal["ig", "th"]
"""How Instagram and Threads begin the names of their grants."""
MODERATE = "MODERATE"
PAGES_AT_MOST = 20  # requests; nobody looks after more than 2,000 Pages


async def longer_user_token(http: Http, granted: Granted, root: str) -> str:
    """The token of a consent, good for an hour or two, exchanged for one of about 60 days: Page
    tokens made with that have no date of expiry.
    """
    found = await _token(
        http,
        f"{root}/{VERSION}/oauth/access_token",
        ("grant_type", "fb_exchange_token"),
        ("client_id", granted.client.id),
        ("client_secret", granted.client.secret),
        ("fb_exchange_token", short_token(granted)),
    )
    return found["access_token"]


async def longer_account_token(
    http: Http, granted: Granted, root: str, where: Where
) -> Mapping[str, str]:
    """The token of a consent on Instagram or Threads exchanged for one of 60 days: `access_token`
    and `expires_at`, as a credential keeps them.
    """
    return await _token(
        http,
        f"{root}/access_token",
        ("grant_type", f"{where}_exchange_token"),
        ("client_secret", granted.client.secret),
        ("access_token", short_token(granted)),
    )


def by_living_token(root: str, where: Where) -> Renew:
    """How a token of Instagram or Threads is made good for another 60 days: by itself, once it is
    a day old and as long as it lives.
    """

    async def renew(http: Http, stored: Mapping[str, str]) -> Mapping[str, str]:
        return await _token(
            http,
            f"{root}/refresh_access_token",
            ("grant_type", f"{where}_refresh_token"),
            ("access_token", stored["access_token"]),
        )

    return renew


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


async def pages_opened(http: Http, granted: Granted) -> Sequence[Account]:
    """Each Page on which the person may moderate, with a token of its own."""
    root, client = granted.settings.api_url, granted.client
    token = await longer_user_token(http, granted, root)
    graph = Graph(http=http, root=root, token=token, client_secret=client.secret)
    asked = "id,name,username,access_token,tasks"
    return await pages_of(graph, asked, lambda row: page_account(row, client))


def may_moderate(row: JsonObject) -> bool:
    """Whether the person has the task that reading comments takes; older answers tell no tasks."""
    tasks = row.get("tasks")
    return not isinstance(tasks, list) or MODERATE in tasks


def credential_of(token: str, client: Client) -> dict[str, str]:
    return {"access_token": token, "client_id": client.id, "client_secret": client.secret}


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


async def _token(http: Http, url: str, *params: tuple[str, str]) -> dict[str, str]:
    """What a credential keeps of a token that was asked for with a GET, as Meta wants it."""
    answer = await http.request("GET", url, params=params, expect=EXPECTED)
    if (failure := refusal(answer)) is not None:
        raise failure
    return fields_of(as_object(answer.json()), answer.received_at)
