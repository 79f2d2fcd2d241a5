"""The usual way of taking in a page: the ORM, a query for each item, a commit for each page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from app.connectors.base import Mention
from benchmarks.refs.typical_orm import Author, Item, Thread


class OrmIngest:
    """Takes pages of one source into a copy of our database."""

    def __init__(self, path: Path, source_id: int, platform: str, now: datetime) -> None:
        self._engine = create_engine(f"sqlite:///{path}")
        self._source_id, self._platform, self._now = source_id, platform, now

    def take(self, page: Sequence[Mention]) -> int:
        """How many were new."""
        new = 0
        with Session(self._engine) as session:
            for mention in page:
                known = self._find(session, Item, mention.external_id)
                if known is not None:
                    if known.text != mention.text:
                        known.text = mention.text
                    continue
                session.add(self._item(session, mention))
                new += 1
            session.commit()
        return new

    def _find(self, session: Session, kind: Any, external_id: str) -> Any:
        wanted = select(kind).where(
            kind.source_id == self._source_id, kind.external_id == external_id
        )
        return session.scalars(wanted).first()

    def _item(self, session: Session, mention: Mention) -> Any:
        wanted: Any = Author
        author = session.scalars(
            select(Author).where(
                wanted.platform == self._platform,
                wanted.external_id == mention.author.external_id,
            )
        ).first()
        if author is None:
            author = wanted(
                platform=self._platform, instance="", external_id=mention.author.external_id,
                handle=mention.author.handle, display_name=mention.author.display_name, url="",
                avatar_url="", signals=[], first_seen_at=self._now,
            )  # fmt: skip
            session.add(author)
        thread = self._find(session, Thread, mention.thread.external_id)
        if thread is None:
            made: Any = Thread
            thread = made(
                source_id=self._source_id, external_id=mention.thread.external_id, title="",
                permalink="", first_seen_at=self._now,
            )  # fmt: skip
            session.add(thread)
        session.flush()
        item: Any = Item
        return item(
            source_id=self._source_id, external_id=mention.external_id, platform=self._platform,
            stream="mentions", thread=thread, author=author, kind="mention", status="unanswered",
            visibility="public", text=mention.text, text_raw=mention.text_raw,
            text_format="plain", language="en", permalink=mention.permalink, media=[],
            occurred_at=mention.occurred_at, first_seen_at=self._now, seen_hash=0,
        )  # fmt: skip

    def close(self) -> None:
        self._engine.dispose()
