"""How many follow the authors of messages: views in lists don't tell, profiles do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from app.connectors.atproto.entities import as_object, list_in
from app.connectors.base import JsonObject, Mention
from app.connectors.failures import ConnectorError, RateLimited

AT_ONCE = 25  # actors in one request (lexicon app.bsky.actor.getProfiles)
KNOWN = 20_000
METHOD = "app.bsky.actor.getProfiles"
Ask = Callable[[str, Sequence[tuple[str, str]]], Awaitable[JsonObject]]


class Followers:
    """Remembers the number for each author, so that an idle poll asks nothing; forgets the oldest.
    A number that can't be had stays unknown and holds up no page, unless the platform asks to wait.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._known: dict[str, int | None] = {}

    async def told(self, mentions: Sequence[Mention], us: str) -> tuple[Mention, ...]:
        """The messages, their authors with the number of their followers; one request for 25
        authors who are new to this object.
        """
        authors = dict.fromkeys(each.author.external_id for each in mentions)
        unknown = [did for did in authors if did not in self._known and did != us]
        for start in range(0, len(unknown), AT_ONCE):
            chunk = unknown[start : start + AT_ONCE]
            try:
                answer = await self._ask(METHOD, [("actors", did) for did in chunk])
                self._remember(chunk, parse_followers(answer))
            except RateLimited:
                raise
            except ConnectorError:
                break
        return tuple(self._with_followers(each) for each in mentions)

    def _remember(self, asked: Iterable[str], found: dict[str, int]) -> None:
        self._known.update((did, found.get(did)) for did in asked)
        while len(self._known) > KNOWN:
            del self._known[next(iter(self._known))]

    def _with_followers(self, mention: Mention) -> Mention:
        followers = self._known.get(mention.author.external_id)
        if followers is None:
            return mention
        return replace(mention, author=replace(mention.author, followers=followers))


def parse_followers(body: Any) -> dict[str, int]:
    """Followers by DID, of the profiles that tell them."""
    profiles = list_in(as_object(body, "profiles"), "profiles")
    return {
        profile["did"]: profile["followersCount"]
        for profile in profiles
        if isinstance(profile, dict)
        and isinstance(profile.get("did"), str)
        and type(profile.get("followersCount")) is int
        and profile["followersCount"] >= 0
    }
