"""The transaction of a request: committed before the answer, rolled back on any refusal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends
from sqlalchemy import select
from starlette.types import Message, Receive, Scope, Send

from app.db import Tx
from app.errors import Conflict, Unavailable
from app.team.models import installation
from app.web.auth import needs
from app.web.deps import Now, Reader, Writer
from app.web.openapi import Api
from app.web.principal import Permission, Principal
from app.web.wire import Body, Model
from tests.web.apps import NOW, api, client, database, problem


class Sent(Body):
    key: str


class Kept(Model):
    key: int


class Watched:
    """A database that notes when its transactions begin and end."""

    def __init__(self, db: Any, notes: list[str]) -> None:
        self.db, self.notes = db, notes

    async def rows(self, statement: Any, values: Any = None) -> Any:
        return await self.db.rows(statement, values)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        self.notes.append("begin")
        try:
            async with self.db.write() as tx:
                yield tx
        except BaseException:
            self.notes.append("rollback")
            raise
        self.notes.append("commit")


class FailingCommit(Watched):
    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        async with self.db.write() as tx:
            yield tx
            raise Unavailable("The disk is full.")


def noted(app: Any, notes: list[str]) -> Any:
    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start":
                notes.append(f"answer {message['status']}")
            await send(message)

        await app(scope, receive, watch)

    return outer


def keeping(db: Any) -> Api:
    app = api()
    app.state.db = db

    @app.post("/api/keep")
    async def keep(
        sent: Sent,
        who: Annotated[Principal, Depends(needs(Permission.TRIAGE))],
        tx: Writer,
        now: Now,
    ) -> dict[str, str]:
        await tx.execute(tx.insert(installation).values(key=sent.key, value={"at": str(now)}))
        if sent.key == "refused":
            raise Conflict("No.")
        if sent.key == "broken":
            raise RuntimeError
        return {"key": sent.key}

    @app.post("/api/misfit", response_model=Kept)
    async def misfit(tx: Writer) -> Any:
        await tx.execute(tx.insert(installation).values(key="misfit", value={}))
        return {"key": "no number"}

    @app.get("/api/kept")
    async def kept(db: Reader) -> list[str]:
        return [row.key for row in await db.rows(select(installation.c.key))]

    return app


async def kept(db: Any) -> list[str]:
    return [row.key for row in await db.rows(select(installation.c.key))]


async def test_the_commit_comes_before_the_answer(tmp_path: Path) -> None:
    notes: list[str] = []
    async with database(tmp_path) as db:
        app = keeping(Watched(db, notes))
        async with client(noted(app, notes), "agent") as c:
            assert (await c.post("/api/keep", json={"key": "a"})).status_code == 200
            assert (await c.get("/api/kept")).json() == ["a"]
        value = (await db.rows(select(installation.c.value)))[0].value
    assert notes[:3] == ["begin", "commit", "answer 200"]
    assert value == {"at": str(NOW)}


async def test_a_commit_that_fails_is_never_told_as_success(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        async with client(keeping(FailingCommit(db, [])), "agent") as c:
            problem(await c.post("/api/keep", json={"key": "a"}), 503, "unavailable")
        assert await kept(db) == []


async def test_every_refusal_rolls_back(tmp_path: Path) -> None:
    notes: list[str] = []
    async with database(tmp_path) as db:
        async with client(keeping(Watched(db, notes)), "agent") as c:
            problem(await c.post("/api/keep", json={"key": "refused"}), 409, "conflict")
            problem(await c.post("/api/keep", json={"key": "broken"}), 500, "internal-error")
            problem(await c.post("/api/misfit"), 500, "internal-error")
            problem(await c.post("/api/keep", json={"kye": "a"}), 422, "invalid-request")
        assert await kept(db) == []
    assert "commit" not in notes


async def test_who_may_not_write_never_reaches_the_writer(tmp_path: Path) -> None:
    notes: list[str] = []
    async with database(tmp_path) as db:
        app = keeping(Watched(db, notes))
        async with client(app) as c:
            problem(await c.post("/api/keep", json={"key": "a"}), 401, "unauthenticated")
        async with client(app, "viewer") as c:
            problem(await c.post("/api/keep", json={"key": "a"}), 403, "not-allowed")
    assert notes == []


async def test_a_caller_who_sends_slowly_holds_no_lock(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        waiting, going_on = asyncio.Event(), asyncio.Event()

        async def slowly() -> AsyncIterator[bytes]:
            yield b'{"key": '
            waiting.set()
            await going_on.wait()
            yield b'"slow"}'

        headers = {"Content-Type": "application/json"}
        async with client(keeping(db), "agent") as c:
            slow = asyncio.create_task(c.post("/api/keep", content=slowly(), headers=headers))
            await waiting.wait()
            assert (await c.post("/api/keep", json={"key": "quick"})).status_code == 200
            going_on.set()
            assert (await slow).status_code == 200
        assert await kept(db) == ["quick", "slow"]
