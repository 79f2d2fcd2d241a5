"""Erasing a person: begun in one transaction, done in small ones, resumed where it was cut off."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Table

from app.clock import Clock
from app.db import Database, Tx
from app.errors import Conflict, NotFound
from app.inbox.changing import count_community
from app.inbox.erasing import repository, tombstones
from app.inbox.erasing.hooks import Hooks, OfItems
from app.inbox.erasing.places import fitted, searched
from app.inbox.erasing.scrubbing import want_scrub
from app.inbox.erasing.tombstones import Seal, pseudonym
from app.inbox.erasing.words import Words, without, words_of
from app.inbox.models import item, raw_body, reply, thread
from app.inbox.search.repository import touch_threads
from app.outbox.events import Actor, Event, record
from app.sources.models import quarantine
from app.sources.streams import packed, unpacked
from app.team.audit.entry import noted
from app.team.tokens import Random
from app.web.repository import forget_answers

_ITEMS = 200
_THREADS = 20
_KEYS = 5000
_BODIES = 500
_IDS = frozenset({"external_id", "parent_external_id"})


@dataclass(slots=True)
class Tally:
    """What an erasure deletes (`items`) or rewrites (`messages` of others and of ours, `texts` in
    other tables, `bodies` of the platform kept beside them).
    """

    items: int = 0
    messages: int = 0
    texts: int = 0
    bodies: int = 0


@dataclass(slots=True)
class _Person:
    """Who is being erased. Without `seal` nothing is written: a dry run."""

    id: int
    platform: str
    words: Words
    names: frozenset[str]
    seal: Seal | None = None
    tally: Tally = field(default_factory=Tally)
    beside: set[int] = field(default_factory=set)  # items in their conversations
    done: set[tuple[str, int]] = field(default_factory=set)  # (table, id) of messages counted


class Erasing:
    """Erases people from a database."""

    def __init__(self, db: Database, clock: Clock, random: Random, hooks: Hooks) -> None:
        self._db = db
        self._clock = clock
        self._random = random
        self._hooks = hooks

    async def dry_run(self, author_id: int) -> Tally:
        """What erasing would delete and rewrite; nothing is changed."""
        row = await repository.find_person(self._db, author_id)
        if row is None:
            raise _unknown(author_id)
        await self._refuse_us(row)
        person = _person(row)
        person.tally.items = await repository.number_of_items(self._db, author_id)
        await self._everywhere(person)
        return person.tally

    async def erase(self, author_id: int, actor: Actor) -> Tally:
        """Erases a person. Interrupted, it goes on at the next call or by itself (`resume`)."""
        async with self._db.write() as tx:
            row = await repository.lock_person(tx, author_id)
            if row is None:
                raise _unknown(author_id)
            await self._refuse_us(row)
            person = _person(row)
            person.seal = await tombstones.make_seal(tx, self._random)
            now = self._clock.now()
            await repository.begin(tx, author_id, now)
            await tombstones.bury(tx, _digests(person.seal, row, person.names), now)
            noted(tx)
            await forget_answers(tx)  # kept for repeats, and sealed: nobody can look into them
        while True:
            await self._everywhere(person)
            await self._items(person)
            async with self._db.write() as tx:
                gone = await repository.delete_person(tx, author_id)
                if gone:
                    await forget_answers(tx)
                    record(tx, self._event(actor, person.tally))
                    await want_scrub(tx, str(author_id), self._clock.now())
                if gone or await repository.lock_person(tx, author_id) is None:
                    return person.tally

    async def resume(self) -> int:
        """Goes on with what was interrupted; how many people."""
        ids = await repository.begun(self._db)
        for author_id in ids:
            await self.erase(author_id, Actor("person", "erasure, resumed"))
        return len(ids)

    async def _refuse_us(self, row: Row[Any]) -> None:
        if await repository.is_one_of_us(self._db, row):
            raise Conflict(
                "This author answers for us on a source. Remove the source, or take the author "
                "off its list of identities, then erase."
            )

    def _event(self, actor: Actor, tally: Tally) -> Event:
        """Names no person, not even by our id."""
        return Event(
            type="author.erased",
            at=self._clock.now(),
            actor=actor,
            details={"items": tally.items, "messages": tally.messages, "texts": tally.texts},
        )

    async def _everywhere(self, person: _Person) -> None:
        await self._threads(person)
        await self._texts(person)
        await self._bodies(person)

    async def _threads(self, person: _Person) -> None:
        """The conversations they took part in: whatever hangs on their messages or names them."""
        after = 0
        pattern = person.words.here().pattern()
        theirs = await repository.messages_of(self._db, person.id)
        while rows := await repository.threads_after(self._db, person.id, after, _THREADS):
            for table in (item, reply):
                found = await repository.company(
                    self._db, table, person.id, [row.id for row in rows]
                )
                changes = [
                    (row, values)
                    for row in found
                    if (values := _rewritten(person, row, theirs, pattern))
                ]
                person.tally.messages += len(changes)
                person.done |= {(table.name, row.id) for row, _ in changes}
                if table is item:
                    await self._count_bodies(person, [row.id for row in found])
                if person.seal is not None:
                    await self._store_messages(person, table, found, changes)
            began = [row for row in rows if row.external_id in theirs]
            person.done |= {("thread", row.id) for row in began}
            if person.seal is not None:
                await self._disguise(person, began)
            after = rows[-1].id

    async def _disguise(self, person: _Person, threads: Sequence[Row[Any]]) -> None:
        assert person.seal is not None
        if not threads:
            return
        digests = {r.id: person.seal.message(person.platform, r.external_id) for r in threads}
        async with self._db.write() as tx:
            await tombstones.bury(tx, digests.values(), self._clock.now())
            await repository.unwatch(tx, person.platform, [row.external_id for row in threads])
            for thread_id, digest in digests.items():
                await repository.disguise_thread(tx, thread_id, pseudonym(digest))
            await touch_threads(tx, list(digests))

    async def _store_messages(
        self,
        person: _Person,
        table: Table,
        found: Sequence[Row[Any]],
        changes: Sequence[tuple[Row[Any], dict[str, Any]]],
    ) -> None:
        assert person.seal is not None
        seal, platform = person.seal, person.platform
        async with self._db.write() as tx:
            for row, values in changes:
                await repository.rewrite(tx, table, table.c.id, row.id, values)
            kept = [seal.kept(platform, row.external_id) for row, _ in changes if row.external_id]
            await tombstones.bury(tx, kept, self._clock.now())
            if table is item:
                await repository.forget_raw(tx, [row.id for row in found])
                await self._tell(tx, self._hooks.texts_changed, [row.id for row, _ in changes])

    async def _count_bodies(self, person: _Person, item_ids: Sequence[int]) -> None:
        """What the platform told of a message beside theirs may name them in its own ways."""
        person.tally.bodies += await repository.number_of_raw(self._db, item_ids)
        person.beside.update(item_ids)

    @staticmethod
    async def _tell(tx: Tx, hooks: Sequence[OfItems], item_ids: Sequence[int]) -> None:
        if item_ids:
            for hook in hooks:
                await hook(tx, item_ids)

    async def _texts(self, person: _Person) -> None:
        """Every text column of every table: who names them by a name of theirs alone."""
        pattern = person.words.pattern()
        for table, columns in searched():
            highest = await repository.highest_key(self._db, table)
            for after in range(0, highest, _KEYS):
                found = await repository.naming(
                    self._db,
                    table,
                    columns,
                    person.words.needles,
                    after=after,
                    upto=after + _KEYS,
                )
                found = [row for row in found if (table.name, row.row_id) not in person.done]
                changes = {
                    row.row_id: values
                    for row in found
                    if (values := _without_names(person, row, columns, pattern))
                }
                person.tally.texts += len(changes)
                if changes and person.seal is not None:
                    await self._store_texts(person, table, changes)

    async def _store_texts(
        self, person: _Person, table: Table, changes: Mapping[int, dict[str, Any]]
    ) -> None:
        assert person.seal is not None
        (key,) = table.primary_key.columns
        async with self._db.write() as tx:
            for row_id, values in changes.items():
                ids = values.pop("", ())
                await tombstones.bury(tx, ids, self._clock.now())
                fitting = await fitted(tx, table, row_id, values)
                await repository.rewrite(tx, table, key, row_id, fitting)
            if table is item:
                await self._tell(tx, self._hooks.texts_changed, list(changes))
            if table is thread:
                await touch_threads(tx, list(changes))

    async def _bodies(self, person: _Person) -> None:
        """Compressed answers of the platform: those that name them go."""
        pattern = person.words.pattern()
        for table, column in ((raw_body, "body"), (quarantine, "raw")):
            after = 0
            while rows := await repository.bodies_after(self._db, table, column, after, _BODIES):
                named = [row.row_id for row in rows if pattern.search(unpacked(row.body))]
                if table is raw_body:
                    named = [key for key in named if key not in person.beside]
                person.tally.bodies += len(named)
                if named and person.seal is not None:
                    await self._drop_bodies(table, named)
                after = rows[-1].row_id

    async def _drop_bodies(self, table: Table, keys: Sequence[int]) -> None:
        """What is in quarantine stays there, as a reminder that something could not be read."""
        async with self._db.write() as tx:
            if table is raw_body:
                await repository.delete_rows(tx, table, keys)
                return
            for key in keys:
                values = {"raw": packed({"erased": True}), "external_id": None}
                await repository.rewrite(tx, table, table.c.id, key, values)

    async def _items(self, person: _Person) -> None:
        assert person.seal is not None
        while True:
            async with self._db.write() as tx:
                rows = await repository.take_items(tx, person.id, _ITEMS)
                if not rows:
                    return
                digests = [person.seal.message(person.platform, row.external_id) for row in rows]
                await tombstones.bury(tx, digests, self._clock.now())
                ids = [row.external_id for row in rows]
                await repository.unwatch(tx, person.platform, ids)
                await self._tell(tx, self._hooks.items_go, [row.id for row in rows])
                await repository.delete_items(tx, rows)
                await _recount_company(tx, rows)
                await repository.delete_empty_threads(tx, {row.thread_id for row in rows})
            person.tally.items += len(rows)


async def _recount_company(tx: Tx, rows: Sequence[Row[Any]]) -> None:
    """How many others wrote below the messages that theirs hung on."""
    parents: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        if row.parent_external_id is not None:
            parents[row.source_id].add(row.parent_external_id)
    for source_id, keys in sorted(parents.items()):
        await count_community(tx, keys, source_id)


def _person(row: Row[Any]) -> _Person:
    handle = row.handle.lower().lstrip("@")
    return _Person(
        id=row.id,
        platform=row.platform,
        words=words_of(row.external_id, row.handle, row.url),
        names=frozenset(name for name in (row.external_id.lower(), handle) if name),
    )


def _unknown(author_id: int) -> NotFound:
    return NotFound(f"There is no author {author_id} (any more).")


def _digests(seal: Seal, row: Row[Any], names: frozenset[str]) -> list[str]:
    person = seal.person(row.platform, row.instance, row.external_id)
    return [person, *(seal.name(row.platform, name) for name in names)]


def _rewritten(
    person: _Person, row: Row[Any], theirs: set[str], pattern: re.Pattern[str]
) -> dict[str, Any]:
    """What changes in a message of somebody else in a conversation with them."""
    values: dict[str, Any] = {}
    for name in ("text", "text_raw", "permalink", "media", "reply_url", "native_url"):
        before = getattr(row, name, None)
        if before and (after := without(pattern, before)) != before:
            values[name] = after
    if row.parent_external_id in theirs:
        values["parent_external_id"] = _stand_in(person, row.parent_external_id)
    addressed = getattr(row, "addressed", None) or []
    known = [name for name in addressed if name.lower().lstrip("@") in person.names]
    if known:
        values["addressed"] = [
            _name_stand_in(person, name) if name in known else name for name in addressed
        ]
    return values


def _stand_in(person: _Person, external_id: str) -> str:
    """A dry run only wants to know that there is a change."""
    return (
        "" if person.seal is None else pseudonym(person.seal.message(person.platform, external_id))
    )


def _name_stand_in(person: _Person, name: str) -> str:
    return "" if person.seal is None else pseudonym(person.seal.name(person.platform, name))


def _without_names(
    person: _Person, row: Row[Any], columns: Sequence[str], pattern: re.Pattern[str]
) -> dict[str, Any]:
    """The changed columns; under "" the hashes of ids that were replaced."""
    values: dict[str, Any] = {}
    digests = []
    for name in columns:
        before = getattr(row, name)
        if before is None or (after := without(pattern, before)) == before:
            continue
        if name in _IDS and person.seal is not None:
            digests.append(person.seal.message(person.platform, before))
            after = pseudonym(digests[-1])
        values[name] = after
    if digests:
        values[""] = digests
    return values
