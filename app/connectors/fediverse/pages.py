"""Pages of the Mastodon client API: where they lead, what a server allows, what it forbids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from app.connectors.asking import RateLimit, Response
from app.connectors.base import (
    Filed,
    Identity,
    JsonObject,
    Mention,
    Page,
    Parent,
    ThreadRef,
    Unparsed,
)
from app.connectors.failures import AuthFailed, BadResponse, PermissionMissing
from app.connectors.fediverse.entities import Entries, identifier, link_ids, root_of
from app.connectors.text import clean, parse_time

NEEDED = ("read:notifications", "read:statuses", "read:accounts")
LONGEST = 4_096  # posts below one in a context (Mastodon's CONTEXT_LIMIT)


def refusal(answer: Response, right: str) -> AuthFailed | PermissionMissing:
    """What a 403 means: a scope that the token lacks, or an account that may do nothing."""
    try:
        said = str(answer.json())
    except BadResponse:
        said = ""
    if "scope" in said.lower():
        return PermissionMissing(f"The token lacks the right {right}.", rights=(right,))
    return AuthFailed(
        "The server refuses this account: it may be disabled, suspended or not yet confirmed."
    )


def wish(limit: RateLimit, received_at: datetime) -> timedelta | None:
    """How long to stay away where a tenth of the allowance or less is left; else nothing."""
    if limit.limit is None or limit.remaining is None or limit.reset_at is None:
        return None
    if limit.remaining * 10 > limit.limit or limit.reset_at <= received_at:
        return None
    return limit.reset_at - received_at


def page_of(entries: Entries, answer: Response) -> Page:
    """The page that holds `entries`, with its times and the server's wish; it leads nowhere yet."""
    return Page(
        mentions=entries.mentions,
        unparsed=entries.unparsed,
        skipped=entries.skipped,
        oldest_at=min(entries.times, default=None),
        newest_at=max(entries.times, default=None),
        poll_after=wish(answer.rate_limit, answer.received_at),
    )


def only(entries: Entries, wanted: frozenset[str]) -> Entries:
    """The entries that were asked for by their ids."""
    mentions = tuple(each for each in entries.mentions if each.external_id in wanted)
    unparsed = tuple(each for each in entries.unparsed if each.external_id in wanted)
    return replace(entries, mentions=mentions, unparsed=unparsed)


def told_if_cut(page: Page, descendants: Sequence[Any]) -> Page:
    """`page` with an entry of quarantine where the server has shown as much as it ever does."""
    if len(descendants) < LONGEST:
        return page
    reason = f"{len(descendants):,} posts or more stand below this one; the others can't be read"
    return replace(page, unparsed=(*page.unparsed, Unparsed(None, reason, None)))


def next_older(answer: Response, entries: Entries, came_by: str | None) -> str | None:
    """The `max_id` of the next older page, `None` at the end. Servers without Link: by id."""
    header = answer.headers.get("link", "")
    last = entries.ids[-1] if entries.ids else None
    found = link_ids(header).get("max_id") if header else last
    return found if found != came_by else None


def newest_id(answer: Response, entries: Entries) -> str | None:
    """The id to read on from: the first entry's, or the Link's where no entry has one."""
    if entries.ids:
        return entries.ids[0]
    return link_ids(answer.headers.get("link", "")).get("min_id")


def reaches(entries: Entries, since: datetime | None) -> bool:
    """Whether a newest-first page goes back beyond `since`."""
    return since is not None and min(entries.times, default=since) < since


def begun_at(body: Sequence[Any], since: datetime | None) -> list[Any]:
    """The entries of a list that happened at `since` or later, or don't say when."""
    return [each for each in body if since is None or (_time(each) or since) >= since]


def _time(entity: Any) -> datetime | None:
    return parse_time(entity.get("created_at")) if isinstance(entity, dict) else None


def held_back(entries: Entries, accounts: frozenset[str]) -> Entries:
    """The entries, those written by `accounts` marked as waiting for our permission."""
    mentions = (
        replace(each, filed=Filed.HELD) if each.author.external_id in accounts else each
        for each in entries.mentions
    )
    return replace(entries, mentions=tuple(mentions))


def account_ids(requests: Sequence[Any]) -> list[str]:
    """Whose notifications are held back, from a list of notification requests."""
    found = []
    for request in requests:
        account = request.get("account") if isinstance(request, dict) else None
        if isinstance(account, dict) and account.get("id"):
            found.append(str(account["id"]))
    return found


def ids_of(statuses: Iterable[Any]) -> list[str]:
    return [str(each["id"]) for each in statuses if isinstance(each, dict) and each.get("id")]


def parse_parents(body: Sequence[Any], mentions: Iterable[Mention]) -> tuple[Parent, ...]:
    """Our posts below which somebody may write: all roots, and answers that were answered.

    `mentions` are the same posts, parsed, in their conversations: these go along, so that what is
    read below a post later names the same conversation.
    """
    statuses = {str(each["id"]): each for each in body if isinstance(each, dict) and "id" in each}
    found = []
    for mention in mentions:
        count = statuses.get(mention.external_id, {}).get("replies_count")
        counter = count if isinstance(count, int) and count >= 0 else None
        if mention.parent_external_id is None or counter != 0:
            found.append(
                Parent(
                    mention.external_id,
                    created_at=mention.occurred_at,
                    changed_at=mention.edited_at,
                    counter=counter,
                    extra=_packed(mention.thread),
                )
            )
    return tuple(found)


def _packed(thread: ThreadRef) -> JsonObject:
    started = thread.started_at.isoformat() if thread.started_at else None
    return {"thread": thread.external_id, "permalink": thread.permalink, "started_at": started}


def thread_of(parent: Parent, ancestors: Sequence[Any]) -> ThreadRef:
    """The conversation of a watched post: as it was when it was first seen, else as its context
    shows it now.
    """
    kept = parent.extra.get("thread")
    if isinstance(kept, str):
        started_at = parse_time(parent.extra.get("started_at"))
        return ThreadRef(
            kept, permalink=str(parent.extra.get("permalink") or ""), started_at=started_at
        )
    return root_of({"id": parent.external_id}, ancestors)


def parse_identity(account: JsonObject, instance: str) -> Identity:
    """Who the token belongs to; the full handle is an alias, as other servers write it."""
    try:
        external_id = identifier(account)
    except ValueError as error:
        raise BadResponse("The server does not say who the token belongs to.") from error
    handle = clean(str(account.get("acct") or account.get("username") or ""))
    name = clean(str(account.get("display_name") or ""))
    aliases = (f"{handle}@{instance}".lower(),) if handle else ()
    return Identity(external_id, handle, name, instance, aliases)


def account_warnings(account: JsonObject) -> tuple[str, ...]:
    """What an operator should know about our own account, a sentence each."""
    told = []
    moved = account.get("moved")
    if isinstance(moved, dict):
        where = clean(str(moved.get("acct") or moved.get("url") or "another account"))
        told.append(
            f"This account has moved to {where}: people write to that one now. Connect it as well."
        )
    if account.get("limited") is True or account.get("suspended") is True:
        told.append(
            "The server's moderators have limited this account: most people don't see what it "
            "writes, and may not be able to write to it."
        )
    return tuple(told)


def api_version(instance: Any) -> int:
    """`api_versions.mastodon` of the instance document; 0 where a server has none."""
    versions = instance.get("api_versions") if isinstance(instance, dict) else None
    version = versions.get("mastodon") if isinstance(versions, dict) else None
    return version if isinstance(version, int) else 0


def parse_scopes(body: Any) -> tuple[str, ...]:
    """The scopes of the application, where the server tells them (Mastodon 4.3)."""
    scopes = body.get("scopes") if isinstance(body, dict) else None
    return tuple(str(each) for each in scopes) if isinstance(scopes, list) else ()


def scopes_missing(scopes: Sequence[str]) -> tuple[str, ...]:
    """The rights we need that `scopes` don't contain; `read` contains all of them."""
    if not scopes or "read" in scopes:
        return ()
    return tuple(each for each in NEEDED if each not in scopes)


def policy_warnings(policy: Any) -> tuple[str, ...]:
    """What the account's notification policy keeps from us, a sentence each."""
    rules = policy.items() if isinstance(policy, dict) else ()
    dropped = sorted(name.removeprefix("for_") for name, value in rules if value == "drop")
    return tuple(
        f"The account's notification policy drops what comes from {name.replace('_', ' ')}: the "
        "server never records it, so it can't be shown here. Set it to filter instead."
        for name in dropped
    )
