"""The usual way: ORM objects with relationships, a total, OFFSET and a response model."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Self

from fastapi import Depends, FastAPI, Query
from pydantic import BaseModel, ConfigDict, model_validator
from sqlalchemy import create_engine, func, select, true
from sqlalchemy.orm import Session, registry, relationship
from starlette.requests import Request

from app.inbox.models import author, item, thread
from app.sources.models import source


class Source:
    id: int
    name: str


class Thread:
    id: int
    title: str


class Author:
    id: int


class Item:
    id: int
    status: str
    occurred_at: datetime
    answered_at: datetime | None
    version: int


_mapped = registry()
_mapped.map_imperatively(Source, source)
_mapped.map_imperatively(Thread, thread)
_mapped.map_imperatively(Author, author)
_mapped.map_imperatively(
    Item,
    item,
    properties={
        "author": relationship(Author),
        "thread": relationship(Thread),
        "source": relationship(Source),
    },
)


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class SourceOut(_Out):
    id: int
    name: str


class ThreadOut(_Out):
    id: int
    title: str


class AuthorOut(_Out):
    id: int
    handle: str
    display_name: str
    url: str
    avatar_url: str
    followers: int | None
    is_bot: bool


class ItemOut(_Out):
    id: int
    platform: str
    kind: str
    status: str
    needs_reply: bool
    text: str
    text_raw: str
    text_format: str
    language: str
    permalink: str
    external_id: str
    occurred_at: datetime
    first_seen_at: datetime
    edited_at: datetime | None
    due_at: datetime | None
    snoozed_until: datetime | None
    backlog: bool
    community_replies: int
    media: list[Any]
    version: int
    author: AuthorOut
    thread: ThreadOut
    source: SourceOut

    @model_validator(mode="after")
    def as_the_service_keeps_it(self) -> Self:
        self.text_raw = self.text_raw or self.text
        return self


class Page(BaseModel):
    total: int
    items: list[ItemOut]


def session(request: Request) -> Iterator[Session]:
    """A session for each request."""
    with Session(request.app.state.engine) as opened:
        yield opened


def make_app(path: Path) -> FastAPI:
    """`GET /items` and `POST /items/{id}/mark-replied`, as tutorials write them."""
    app = FastAPI()
    app.state.engine = create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False})

    @app.get("/items", response_model=Page)
    def items(
        db: Annotated[Session, Depends(session)],
        status: Annotated[str, Query()] = "unanswered",
        offset: Annotated[int, Query()] = 0,
        limit: Annotated[int, Query()] = 50,
    ) -> Any:
        wanted = select(Item).where(item.c.status == status, item.c.needs_reply == true())
        total = db.scalar(select(func.count()).select_from(wanted.subquery()))
        found = db.scalars(wanted.order_by(item.c.occurred_at).offset(offset).limit(limit)).all()
        return {"total": total, "items": found}

    @app.post("/items/{item_id}/mark-replied", response_model=ItemOut)
    def mark_replied(item_id: int, db: Annotated[Session, Depends(session)]) -> Any:
        found = db.get_one(Item, item_id)
        found.status = "replied"
        found.version += 1
        db.commit()
        db.refresh(found)
        return found

    return app
