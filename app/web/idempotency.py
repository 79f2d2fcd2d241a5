"""Repeating a POST: with the same Idempotency-Key it is done once and answered alike.

`make_repeatable` lays this around every POST of the API, so that no route can forget it. Where a
route has a `Writer`, key and answer are written in its transaction; where it has none (it asks a
platform first, or waits), the key is reserved before and the answer is stored after.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Protocol

import msgspec
from fastapi import FastAPI
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response

from app.clock import Clock
from app.db import Database, Tx
from app.errors import AppError, Conflict, FieldError, InvalidRequest
from app.web import repository
from app.web.around import Call, lay_around
from app.web.principal import Principal
from app.web.problems import answer as problem_answer
from app.web.problems import invalid_request

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
MAX_KEY = 255
RUNNING = timedelta(minutes=3)
"""How long a key without an answer counts as being worked on: longer than any route takes."""
_KEY = re.compile(rf"[\x21-\x7e]{{1,{MAX_KEY}}}")
_OUTCOMES = frozenset({404, 409, 410, 412})
"""Refusals that are an outcome and are kept; an invalid request, a token that may not, a limit or
a failure of ours is none: its repeat is tried."""
_SAVEPOINT = text("SAVEPOINT repeatable")
_BACK = text("ROLLBACK TO SAVEPOINT repeatable")


class IdempotencyKeyReused(InvalidRequest):
    status = 422
    code = "idempotency-key-reused"
    title = "This key belongs to another request"


class StillRunning(Conflict):
    """The first request with this key has not ended."""

    code = "still-running"
    title = "The first request with this key is still running"


class Seal(Protocol):
    """Keeps answers unreadable in the database; `main` puts one on `app.state.seal`."""

    def close(self, answer: bytes, row_id: int) -> str: ...

    def open(self, envelope: str, row_id: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that may be repeated: whose, by which key, and what it asks for."""

    caller: str
    key: str
    fingerprint: str


class _Kept(msgspec.Struct):
    headers: list[tuple[str, str]]
    body: str


async def read_key(request: Request, principal: Principal) -> None:
    """Notes the key of a POST, before any lock: a slow body must not hold one.

    Raises 422 at `#Idempotency-Key` for a key that is none.
    """
    lines = request.headers.getlist(HEADER) if request.method == "POST" else []
    if not lines:
        return
    if len(lines) > 1 or _KEY.fullmatch(lines[0]) is None:
        detail = f"Send one key of 1 to {MAX_KEY} visible ASCII characters, like a UUID."
        raise invalid_request([FieldError(f"#{HEADER}", "malformed", detail)])
    token = principal.token_id
    request.state.repeatable = Asked(
        # Of a session its person: who signs in again before the repeat is the same caller.
        caller=principal.actor if token is None else f"token:{token}",
        key=lines[0],
        fingerprint=_fingerprint(request, await request.body(), principal),
    )


def _fingerprint(request: Request, body: bytes, principal: Principal) -> str:
    """Of everything that decides the answer, what the token may see included: an answer of an
    hour ago must not show what the token has lost since.
    """
    scope = principal.scope
    seen = "all" if scope.sources is None else sorted(scope.sources)
    parts = (
        request.scope["path"].encode("utf-8", "surrogatepass"),
        request.scope["query_string"],
        ",".join(request.headers.getlist("if-match")).encode("latin-1"),
        f"{principal.role} {sorted(principal.rights)} {seen} {scope.direct}".encode(),
        body,
    )
    return sha256(b"".join(len(part).to_bytes(8) + part for part in parts)).hexdigest()


@dataclass(frozen=True, slots=True)
class _Repeat:
    """One request with a key, on its way through its route."""

    asked: Asked
    request: Request
    now: datetime
    seal: Seal

    @classmethod
    def of(cls, request: Request) -> _Repeat | None:
        asked: Asked | None = getattr(request.state, "repeatable", None)
        if asked is None:
            return None
        clock: Clock = request.app.state.clock
        return cls(asked, request, clock.now(), request.app.state.seal)

    async def begin(self, tx: Tx) -> int | Response:
        """The key's row where this is the first request, else the answer it had."""
        asked = self.asked
        taken = await repository.take_key(
            tx,
            caller=asked.caller,
            key=asked.key,
            fingerprint=asked.fingerprint,
            now=self.now,
            until=self.now + RUNNING,
        )
        return await self._again(tx) if taken is None else taken

    async def _again(self, tx: Tx) -> Response:
        row = await repository.find_key(tx, self.asked.caller, self.asked.key)
        if row is not None and row.fingerprint != self.asked.fingerprint:
            detail = (
                "This key was used for another request, or its token might see other things then. "
                "Take a new key for each new request."
            )
            raise IdempotencyKeyReused(detail, errors=[FieldError(f"#{HEADER}", "reused", detail)])
        if row is None or row.answer_status is None:
            raise StillRunning(
                "Ask again in a moment: the answer will be the first one's.",
                headers={"Retry-After": "1"},
            )
        kept = msgspec.json.decode(self.seal.open(row.answer, row.id), type=_Kept)
        again = Response(b64decode(kept.body), status_code=row.answer_status)
        again.raw_headers += [(n.encode("latin-1"), v.encode("latin-1")) for n, v in kept.headers]
        again.headers[REPLAYED] = "true"
        return again

    async def keep(self, tx: Tx, row_id: int, response: Response) -> None:
        headers = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in response.raw_headers
            if name.lower() != b"content-length"
        ]
        kept = _Kept(headers=headers, body=b64encode(bytes(response.body)).decode())
        sealed = self.seal.close(msgspec.json.encode(kept), row_id)
        await repository.keep_answer(tx, row_id, response.status_code, sealed)

    async def within(self, tx: Tx, call: Call) -> Response:
        """Key, effect and answer in the route's own transaction.

        A refusal that is an outcome undoes what the route has written, and nothing but it.
        """
        row_id = await self.begin(tx)
        if isinstance(row_id, Response):
            return row_id
        await tx.execute(_SAVEPOINT)
        try:
            response = await call()
        except AppError as refusal:
            if refusal.status not in _OUTCOMES:
                raise
            await tx.execute(_BACK)
            tx.forget()
            response = problem_answer(refusal, self.request.scope)
        await self.keep(tx, row_id, response)
        return response

    async def around(self, db: Database, call: Call) -> Response:
        """The key before, the answer after: for a route that has transactions of its own."""
        async with db.write() as tx:
            row_id = await self.begin(tx)
        if isinstance(row_id, Response):
            return row_id
        try:
            response = await call()
        except AppError as refusal:
            if refusal.status not in _OUTCOMES:
                await self._give_back(db, row_id)
                raise
            response = problem_answer(refusal, self.request.scope)
        except BaseException:
            await self._give_back(db, row_id)
            raise
        async with db.write() as tx:
            await self.keep(tx, row_id, response)
        return response

    @staticmethod
    async def _give_back(db: Database, row_id: int) -> None:
        async with db.write() as tx:
            await repository.give_back(tx, row_id)


async def _repeatable(request: Request, values: Mapping[str, Any], call: Call) -> Response:
    repeat = _Repeat.of(request)
    if repeat is None:
        return await call()
    tx = next((value for value in values.values() if isinstance(value, Tx)), None)
    if tx is None:
        return await repeat.around(request.app.state.db, call)
    return await repeat.within(tx, call)


def make_repeatable(app: FastAPI, prefix: str) -> None:
    """Lays the key around every POST below the prefix; call it when all routes are there."""
    lay_around(app, "POST", lambda path: path.startswith(f"{prefix}/"), _repeatable)
