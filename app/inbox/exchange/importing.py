"""Taking in the lines of an export: what is there already stays as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row

from app.db import Database, Tx
from app.errors import Conflict
from app.inbox import ranking, repository
from app.inbox.arrivals import Arrival, Us, addressed_by, content_columns, person_row, thread_row
from app.inbox.counts import count
from app.inbox.erasing import tombstones
from app.inbox.exchange.repository import add_people, add_threads, link_answers
from app.inbox.exchange.schemas import EndLine, Imported, ItemTaken, LineError, LineResult
from app.inbox.exchange.taken import Refusal, Taken, read_line, take
from app.inbox.labels import repository as labels
from app.inbox.labels.arriving import default_labels, fitting
from app.inbox.policies.service import due_again
from app.inbox.search.repository import touch
from app.inbox.states import EventType
from app.outbox.events import Actor, Event, record
from app.scope import Scope
from app.sources import repository as sources
from app.team.audit.entry import noted

BATCH = 100
_ERASED = LineError(
    code="erased",
    detail="It belongs to somebody who was erased here, or to a conversation with them.",
)
_end = msgspec.json.Decoder(EndLine)


@dataclass(frozen=True, slots=True)
class Place:
    """The source that a line goes to, and who we are there."""

    id: int
    platform: str
    us: Us


_Waiting = tuple[int, Place, Taken]
"""The number of a line, where it goes, and what it says."""


@dataclass(frozen=True, slots=True)
class _Around:
    """The ids of what the items of a batch hang on."""

    people: Mapping[tuple[str, str], int]
    threads: Mapping[str, int]


@dataclass(slots=True)
class Importing:
    """One import: whose it is, and where its lines may go."""

    db: Database
    scope: Scope
    actor: Actor
    now: datetime
    chosen: Place | None
    places: Mapping[tuple[str, str], Place]

    @classmethod
    async def begin(
        cls, db: Database, scope: Scope, actor: Actor, now: datetime, source_id: int | None
    ) -> Importing:
        """`source_id`: every line goes there, else to the source of its platform and name.

        Raises `NotFound` for a source that the caller does not see.
        """
        rows = await sources.page_sources(db, scope)
        places = {(row.platform, row.name): await _place(db, row) for row in rows}
        chosen = None
        if source_id is not None:
            chosen = await _place(db, await sources.get_source(db, scope, source_id))
        return cls(db, scope, actor, now, chosen, places)

    async def take_in(self, body: bytes) -> Imported:
        """Stores the lines in batches; a bad one is told and stops no other."""
        results: list[LineResult] = []
        waiting: list[_Waiting] = []
        end: EndLine | None = None
        for number, line in _numbered(body):
            end = _as_end(line) or end
            if _as_end(line) is not None:
                continue
            try:
                waiting.append((number, *self._read(line)))
            except Refusal as refusal:
                results.append(_result(number, "failed", error=refusal.error))
        for start in range(0, len(waiting), BATCH):
            batch = waiting[start : start + BATCH]
            erased = await self._erased(batch)
            results += [_result(number, "failed", error=_ERASED) for number in sorted(erased)]
            stored = [each for each in batch if each[0] not in erased]
            results += await self._store(stored, lines=len(waiting))
        results.sort(key=lambda result: result.line)
        told = Counter(result.result for result in results)
        return Imported(
            new=told["new"],
            known=told["known"],
            failed=told["failed"],
            complete=None if end is None else end.items == len(results),
            results=results,
        )

    async def _erased(self, batch: Sequence[_Waiting]) -> set[int]:
        """The lines that would bring back somebody who was erased, or a message changed for them:
        their own, those below a message of theirs, and our replies to them.
        """
        found: set[int] = set()
        for number, place, taken in batch:
            arrivals = [taken.arrival, *(arrival for _, arrival in taken.replies)]
            mentions = [arrival.mention for arrival in arrivals]
            sifted = await tombstones.sift(self.db, place.platform, mentions, place.us)
            if list(sifted.mentions) != mentions:
                found.add(number)
        return found

    def _read(self, line: bytes) -> tuple[Place, Taken]:
        said = read_line(line)
        place = self._place_of(said)
        if said.visibility == "direct" and not self.scope.direct:
            raise Refusal("not_visible", "Direct messages need a token that may see them.")
        return place, take(said, place.us, self.now)

    def _place_of(self, said: ItemTaken) -> Place:
        place = self.chosen or self.places.get((said.platform, said.source_name))
        if place is None:
            raise Refusal(
                "no_source",
                f"There is no source {said.platform} named {said.source_name!r}. Connect it, or "
                "say with source_id which one of that platform the lines belong to.",
            )
        if place.platform != said.platform:
            raise Refusal(
                "no_source", f"The source is of {place.platform}, the line of {said.platform}."
            )
        return place

    async def _store(self, batch: Sequence[_Waiting], *, lines: int) -> list[LineResult]:
        found: list[LineResult] = []
        async with self.db.write() as tx:
            noted(tx, "source", None if self.chosen is None else self.chosen.id, lines=lines)
            for place in {each[1].id: each[1] for each in batch}.values():
                mine = [(number, taken) for number, where, taken in batch if where.id == place.id]
                ids, new = await self._store_there(tx, place, [taken for _, taken in mine])
                for number, taken in mine:
                    key = taken.line.external_id
                    found.append(_result(number, "new" if key in new else "known", ids[key]))
                    new.discard(key)  # the same line again is known by then
        return found

    async def _store_there(
        self, tx: Tx, place: Place, lines: Sequence[Taken]
    ) -> tuple[dict[str, int], set[str]]:
        """The ids of the items by external id, and which of them are new."""
        around = await self._around(tx, place, lines)
        rows = {each.line.external_id: self._row(place, each, around) for each in lines}
        added = await repository.add_new(tx, list(rows.values()))
        for key, item_id in added.items():
            self._tell(tx, place, item_id, rows[key])
        fresh = {each.line.external_id: each for each in lines if each.line.external_id in added}
        touch(tx, added.values())
        ranking.touch(tx, around.people.values())
        await default_labels(tx, place.id, list(added.values()), self.now)
        for key, item_id in added.items():
            await self._label(tx, item_id, fresh[key])
            due_again(tx, item_id)
        await self._store_replies(tx, place, fresh, added, around)
        known = await repository.known_items(tx, place.id, rows)
        return {key: row.id for key, row in known.items()}, set(added)

    async def _around(self, tx: Tx, place: Place, lines: Sequence[Taken]) -> _Around:
        """The authors and conversations of the lines; sorted, so that no two can deadlock."""
        arrivals = [a for each in lines for a in (each.arrival, *(r for _, r in each.replies))]
        persons = {_person_key(a): person_row(a.mention.author, self.now) for a in arrivals}
        rooms = {
            each.line.thread.external_id: thread_row(each.arrival.mention, self.now)
            for each in lines
        }
        people = await add_people(tx, place.platform, [persons[key] for key in sorted(persons)])
        if await tombstones.people_erased(tx, place.platform, people):
            raise Conflict("Somebody was erased meanwhile. Import the same lines again.")
        threads = await add_threads(tx, place.id, [rooms[key] for key in sorted(rooms)])
        return _Around(people, threads)

    def _row(self, place: Place, taken: Taken, around: _Around) -> dict[str, Any]:
        line, arrival = taken.line, taken.arrival
        return {
            **content_columns(arrival),
            **repository.state_columns(taken.state),
            "source_id": place.id,
            "external_id": arrival.external_id,
            "platform": place.platform,
            "stream": line.stream,
            "thread_id": around.threads[line.thread.external_id],
            "author_id": around.people[_person_key(arrival)],
            "kind": line.kind,
            "backlog": line.backlog,
            "occurred_at": arrival.occurred_at,
            "first_seen_at": taken.first_seen_at,
            "time_suspect": arrival.time_suspect,
            "acknowledged_at": taken.acknowledged_at,
            "community_replies": line.community_replies,
            "dismissed_note": line.dismissed_note,
        }

    async def _label(self, tx: Tx, item_id: int, taken: Taken) -> None:
        names = fitting(taken.line.labels)
        if names:
            ids = await labels.ensure(tx, names, self.now)
            await labels.put(tx, [(item_id, label_id) for label_id in ids], ())

    def _tell(self, tx: Tx, place: Place, item_id: int, row: Mapping[str, Any]) -> None:
        record(
            tx,
            Event(
                type=str(EventType.CREATED),
                at=self.now,
                actor=self.actor,
                source_id=place.id,
                item_id=item_id,
                item_version=1,
                direct=row["visibility"] == "direct",
                to_status=str(row["status"]),
                details={"stream": row["stream"], "imported": True},
            ),
        )
        count(tx, repository.counted_row(row), +1)

    async def _store_replies(
        self,
        tx: Tx,
        place: Place,
        lines: Mapping[str, Taken],
        items: Mapping[str, int],
        around: _Around,
    ) -> None:
        rows: dict[str, dict[str, Any]] = {}
        for each in lines.values():
            for said, arrival in each.replies:
                rows[said.external_id] = {
                    **content_columns(arrival),
                    "source_id": place.id,
                    "external_id": said.external_id,
                    "thread_id": around.threads[each.line.thread.external_id],
                    "author_id": around.people[_person_key(arrival)],
                    "origin": "seen",
                    "stream": each.line.stream,
                    "automated": said.automated,
                    "addressed": addressed_by(arrival),
                    "occurred_at": arrival.occurred_at,
                    "first_seen_at": self.now,
                    "time_suspect": arrival.time_suspect,
                }
        if not rows:
            return
        await repository.add_replies(tx, list(rows.values()))
        known = await repository.known_replies(tx, place.id, rows)
        links = [
            (items[key], int(known[each.answer].id))
            for key, each in lines.items()
            if each.answer in known and each.state.evidence is not None
        ]
        await link_answers(tx, links)


async def _place(db: Database, row: Row[Any]) -> Place:
    rows = await sources.us_of(db, [row.id])
    values = {each.value for each in rows} | {each.value.lower() for each in rows}
    bots = {each.value for each in rows if each.automated}
    us = Us(frozenset(values), frozenset(bots | {bot.lower() for bot in bots}))
    return Place(row.id, row.platform, us)


def _person_key(arrival: Arrival) -> tuple[str, str]:
    return arrival.mention.author.instance, arrival.mention.author.external_id


def _numbered(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines with their numbers, from 1; empty ones are left out."""
    for number, line in enumerate(body.split(b"\n"), 1):
        if line.strip():
            yield number, line


def _as_end(line: bytes) -> EndLine | None:
    if not line.startswith(b'{"end":'):
        return None
    try:
        return _end.decode(line)
    except msgspec.MsgspecError:
        return None


def _result(
    line: int, result: str, item_id: int | None = None, error: LineError | None = None
) -> LineResult:
    return LineResult(line=line, result=result, id=item_id, error=error)
