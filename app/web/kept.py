"""Answers that are kept for as long as they provably hold (docs/decisions/0022-kept-answers.md).

An answer holds while the database has not changed since before it was read, until the first moment
at which time alone changes it. What moves all the time, `as_of` and `age_seconds`, is written anew
whenever it is given. So an unchanged list costs neither a statement nor an encoding, and whoever
sends its ETag is told 304.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from app.clock import stamp
from app.db import Database
from app.web.conditional import Parted, tagged

FOR_EVER = datetime.max.replace(tzinfo=UTC)
"""Time alone does not change the answer."""
MOST_BYTES = 8_000_000
MOST_NOTED = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000  # in microseconds
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Made:
    """An answer as it was made. `since` holds, in order, since when each number in `age_seconds`
    runs; `until`: the first moment at which the answer may read otherwise although nothing was
    written (not after the present: it is not kept).
    """

    value: msgspec.Struct
    until: datetime
    since: Sequence[datetime] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Held:
    beside: object
    at: datetime
    until: datetime
    tag: str
    headers: Mapping[str, str]
    still: Sequence[bytes]
    runs: Sequence[int | None]  # in the gaps: since when, in microseconds; `None`: `as_of`
    size: int

    @classmethod
    def of(cls, made: Made, parted: Parted, beside: object, at: datetime) -> _Held:
        running = iter(made.since)
        return cls(
            beside=beside,
            at=at,
            until=made.until,
            tag=parted.tag,
            headers=made.headers,
            still=parted.still,
            runs=[(next(running) - _EPOCH) // _MICROSECOND if a else None for a in parted.ages],
            size=sum(map(len, parted.still)),
        )

    def holds(self, beside: object, now: datetime) -> bool:
        # Not before it was made, either: a clock may be set back.
        return self.at <= now < self.until and self.beside == beside

    def read_at(self, now: datetime) -> bytes:
        moment = (now - _EPOCH) // _MICROSECOND
        as_of = b'"%b"' % stamp(now).encode()
        parts = [b""] * (len(self.still) + len(self.runs))
        parts[::2] = self.still
        parts[1::2] = [
            as_of if since is None else b"%d" % max(0, (moment - since) // _SECOND)
            for since in self.runs
        ]
        return b"".join(parts)


class KeptAnswers:
    """The answers of one process, the least recently asked for leaving first."""

    def __init__(self, db: Database, *, most_bytes: int = MOST_BYTES) -> None:
        self._db = db
        self._most = most_bytes
        self._held: OrderedDict[Hashable, _Held] = OrderedDict()
        self._asked: set[Hashable] = set()  # what was asked for and is not kept yet
        self._mark: Hashable | None = None  # of the database for which all of them hold
        self._size = 0

    async def answer(
        self,
        request: Request,
        key: Hashable,
        make: Callable[[Hashable | None], Awaitable[Made]],
        *,
        beside: object,
        now: datetime,
    ) -> Response:
        """The answer at `now`, with its ETag; made where none is held, and kept where it was asked
        for before since somebody wrote.

        `key` is all that decides the answer beside path and query: what the caller may see, and
        whatever the query means at the moment. `beside` is what it shows that does not come from
        the database alone; answers are compared by it. `make` is given the mark of the database,
        `None` where the answer will not be kept.
        """
        scope = request.scope
        place = (scope.get("root_path"), scope["path"], scope["query_string"], key)
        # Asked before anything is read: whatever is written from here on makes it another.
        mark = await self._mark_for(request)
        held = None if mark is None else self._held.get(place)
        if held is not None and held.holds(beside, now):
            self._held.move_to_end(place)
            return tagged(request, held.tag, lambda: held.read_at(now), held.headers)
        again = mark is not None and place in self._asked
        made = await make(mark if again else None)
        body = _encode(made.value)
        parted = Parted.of(body)
        if not again:
            self._note(place)
        elif now < made.until:
            self._keep(mark, place, _Held.of(made, parted, beside, now))
        return tagged(request, parted.tag, lambda: body, made.headers)

    async def _mark_for(self, request: Request) -> Hashable | None:
        """Where the mark costs a statement, it is asked only for those who may save more by it."""
        if self._db.dialect != "sqlite" and "if-none-match" not in request.headers:
            return None
        mark = await self._db.mark()
        if mark != self._mark:
            self.forget()  # also what somebody has erased meanwhile
            self._mark = mark
        return mark

    def _note(self, place: Hashable) -> None:
        if len(self._asked) >= MOST_NOTED:
            self._asked.clear()
        self._asked.add(place)

    def _keep(self, mark: Hashable | None, place: Hashable, held: _Held) -> None:
        if mark != self._mark:
            return  # somebody has written while it was made
        before = self._held.pop(place, None)
        self._size += held.size - (0 if before is None else before.size)
        self._held[place] = held
        while self._size > self._most:
            self._size -= self._held.popitem(last=False)[1].size

    def forget(self) -> None:
        """Makes every answer anew from here on."""
        self._held.clear()
        self._asked.clear()
        self._size = 0
