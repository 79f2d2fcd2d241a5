"""Who was erased, kept as keyed hashes, so that what they wrote is recognised and left out.

Three kinds of hash: of a person (id, and each name), of a message of theirs, and of a message of
somebody else that was changed here because it named them, and therefore stays as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select

from app.connectors.base import Mention, Parent, Person, ThreadRef
from app.db import Reader, Tx
from app.inbox.arrivals import Us
from app.inbox.models import erased
from app.team.repository import find_installed, remember
from app.team.tokens import Random

SEAL = "erasure_key"
_CHUNK = 500
_PSEUDONYM = "erased:"


@dataclass(frozen=True, slots=True)
class Seal:
    """The key of the hashes; without it (or with it lost) nobody can be told from them."""

    key: bytes

    def person(self, platform: str, instance: str, external_id: str) -> str:
        return self._digest("person", platform, instance, external_id)

    def name(self, platform: str, name: str) -> str:
        return self._digest("name", platform, name.lower())

    def message(self, platform: str, external_id: str) -> str:
        return self._digest("message", platform, external_id)

    def kept(self, platform: str, external_id: str) -> str:
        return self._digest("kept", platform, external_id)

    def author(self, platform: str, author: Person) -> str:
        return self.person(platform, author.instance, author.external_id)

    def _digest(self, *parts: str) -> str:
        said = "\x00".join(parts).encode(errors="surrogatepass")
        return hashlib.blake2b(said, key=self.key, digest_size=24).hexdigest()


def pseudonym(digest: str) -> str:
    """What stands for an id of a message that was erased."""
    return _PSEUDONYM + digest


@dataclass(frozen=True, slots=True)
class Sifted:
    """The messages of a page without those of erased people (`erased`), and without those that
    were changed here for their sake (`kept`).
    """

    mentions: Sequence[Mention]
    erased: int = 0
    kept: int = 0


async def find_seal(reader: Reader) -> Seal | None:
    """The key, or `None` as long as nobody was ever erased."""
    found = await find_installed(reader, SEAL)
    return None if found is None else Seal(bytes.fromhex(found["key"]))


async def make_seal(tx: Tx, random: Random) -> Seal:
    """The key, made at the first erasure."""
    await remember(tx, SEAL, {"key": random(32).hex()})
    found = await find_seal(tx)
    assert found is not None
    return found


async def bury(tx: Tx, digests: Iterable[str], now: datetime) -> None:
    """Remembers hashes for good."""
    wanted = sorted(set(digests))
    adding = tx.insert(erased).on_conflict_do_nothing(index_elements=["digest"])
    for start in range(0, len(wanted), _CHUNK):
        rows = [{"digest": digest, "at": now} for digest in wanted[start : start + _CHUNK]]
        await tx.execute(adding, rows)


async def buried(reader: Reader, digests: Iterable[str]) -> set[str]:
    """Which of the hashes are known."""
    wanted = sorted(set(digests))
    found: set[str] = set()
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        statement = select(erased.c.digest).where(erased.c.digest.in_(chunk))
        found |= {row.digest for row in await reader.rows(statement)}
    return found


async def sift(reader: Reader, platform: str, mentions: Sequence[Mention], us: Us) -> Sifted:
    """A page without erased people. Replies of ours to them are left out like their messages; what
    others wrote below a message of theirs hangs on a pseudonym.
    """
    seal = await find_seal(reader) if mentions else None
    if seal is None:
        return Sifted(mentions)
    known = await buried(reader, _asked(seal, platform, mentions))
    found, out, kept = [], 0, 0
    for mention in mentions:
        if seal.kept(platform, mention.external_id) in known:
            kept += 1
        elif _is_theirs(seal, platform, mention, us, known):
            out += 1
        else:
            found.append(_without_ids(seal, platform, mention, known) if known else mention)
    return Sifted(found, out, kept)


def _asked(seal: Seal, platform: str, mentions: Sequence[Mention]) -> Iterable[str]:
    for mention in mentions:
        yield seal.author(platform, mention.author)
        yield seal.kept(platform, mention.external_id)
        yield seal.message(platform, mention.thread.external_id)
        if mention.parent_external_id is not None:
            yield seal.message(platform, mention.parent_external_id)
        for name in mention.addressed:
            yield seal.name(platform, name)


def _is_theirs(seal: Seal, platform: str, mention: Mention, us: Us, known: set[str]) -> bool:
    if seal.author(platform, mention.author) in known:
        return True
    if not us.is_ours(mention.author):
        return False
    parent = mention.parent_external_id
    to_them = parent is not None and seal.message(platform, parent) in known
    return to_them or any(seal.name(platform, name) in known for name in mention.addressed)


def _without_ids(seal: Seal, platform: str, mention: Mention, known: set[str]) -> Mention:
    parent = mention.parent_external_id
    if parent is not None and (digest := seal.message(platform, parent)) in known:
        mention = replace(mention, parent_external_id=pseudonym(digest))
    thread = mention.thread
    if (digest := seal.message(platform, thread.external_id)) in known:
        place = ThreadRef(pseudonym(digest), started_at=thread.started_at)
        mention = replace(mention, thread=place)
    return mention


async def people_erased(
    tx: Tx, platform: str, keys: Iterable[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Which of some people, (instance, external_id), are erased or being erased."""
    seal = await find_seal(tx)
    if seal is None:
        return set()
    digests = {seal.person(platform, *key): key for key in keys}
    return {digests[digest] for digest in await buried(tx, digests)}


async def living(reader: Reader, platform: str, parents: Sequence[Parent]) -> Sequence[Parent]:
    """What may be watched for messages below it: not the messages of erased people."""
    seal = await find_seal(reader) if parents else None
    if seal is None:
        return parents
    digests = [seal.message(platform, parent.external_id) for parent in parents]
    known = await buried(reader, digests)
    return [p for p, digest in zip(parents, digests, strict=True) if digest not in known]
