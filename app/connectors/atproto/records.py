"""Single records in the repositories of others: what they wrote, whoever blocks whom.

Lists and `getPosts` leave out what one side has blocked just as what is deleted; the repository
itself tells the two apart.
"""

from __future__ import annotations

from app.connectors.atproto.entities import as_object
from app.connectors.atproto.session import Session
from app.connectors.base import JsonObject
from app.connectors.failures import BadResponse, Gone

PARTS = 3


async def fetch_view(session: Session, uri: str) -> JsonObject:
    """A record of somebody with its author, in the shape of a view; `Gone` where it or its
    author's account is no longer there.
    """
    parts = uri.removeprefix("at://").split("/")
    if not uri.startswith("at://") or len(parts) != PARTS:
        raise Gone("There is nothing by such an address.")
    did, collection, rkey = parts
    where = [("repo", did), ("collection", collection), ("rkey", rkey)]
    record = await _ask(session, "com.atproto.repo.getRecord", where)
    profile = await _ask(session, "app.bsky.actor.getProfile", [("actor", did)])
    if not isinstance(record.get("value"), dict):
        raise BadResponse("The server sent a record without its content.")
    return {
        "uri": uri,
        "cid": record.get("cid"),
        "author": profile,
        "record": record["value"],
    }


async def _ask(session: Session, method: str, params: list[tuple[str, str]]) -> JsonObject:
    answer = await session.get(method, params, of_others=True)
    return as_object(answer.json(), "record")
