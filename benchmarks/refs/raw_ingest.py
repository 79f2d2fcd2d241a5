"""The limit of taking in a page: the raw driver, diff first, one transaction.

It stores what our service must store of a new item (author, thread, item, event, counters, words
for the search) with one statement each, and decides nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from app.connectors.base import Mention

_NOW = 1_793_491_260_000_000


class RawIngest:
    """Takes pages of one source into a copy of our database."""

    def __init__(self, path: Path, source_id: int, platform: str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536"):
            self._db.execute(f"PRAGMA {pragma}")
        self._source_id, self._platform = source_id, platform

    def take(self, page: Sequence[Mention]) -> int:
        """How many were new."""
        marks = ",".join("?" * len(page))
        known = dict(
            self._db.execute(
                "SELECT external_id, seen_hash FROM item"  # noqa: S608  # marks only
                f" WHERE source_id = ? AND external_id IN ({marks})",
                [self._source_id, *(m.external_id for m in page)],
            ).fetchall()
        )
        new = [m for m in page if m.external_id not in known]
        if new:
            self._db.execute("BEGIN IMMEDIATE")
            self._add(new)
            self._db.execute("COMMIT")
        return len(new)

    def _add(self, new: Sequence[Mention]) -> None:
        run = self._db.execute
        for m in new:
            author = run(
                "INSERT INTO author (platform, instance, external_id, handle, display_name, url,"
                " avatar_url, signals, first_seen_at) VALUES (?, '', ?, ?, ?, '', '', '[]', ?)"
                " ON CONFLICT (platform, instance, external_id) DO UPDATE SET handle = handle"
                " RETURNING id",
                (
                    self._platform,
                    m.author.external_id,
                    m.author.handle,
                    m.author.display_name,
                    _NOW,
                ),
            ).fetchone()[0]
            thread = run(
                "INSERT INTO thread (source_id, external_id, title, permalink, first_seen_at)"
                " VALUES (?, ?, '', '', ?) ON CONFLICT (source_id, external_id)"
                " DO UPDATE SET title = title RETURNING id",
                (self._source_id, m.thread.external_id, _NOW),
            ).fetchone()[0]
            at = int(m.occurred_at.timestamp() * 1_000_000) if m.occurred_at else _NOW
            item = run(
                "INSERT INTO item (source_id, external_id, platform, stream, thread_id, author_id,"
                " kind, status, visibility, text, text_raw, text_format, language, permalink,"
                " media, occurred_at, first_seen_at, seen_hash) VALUES (?, ?, ?, 'mentions', ?, ?,"
                " 'mention', 'unanswered', 'public', ?, ?, 'plain', 'en', ?, '[]', ?, ?, ?)"
                " RETURNING id",
                (
                    self._source_id,
                    m.external_id,
                    self._platform,
                    thread,
                    author,
                    m.text,
                    m.text_raw,
                    m.permalink,
                    at,
                    _NOW,
                    hash(m.text),
                ),
            ).fetchone()[0]
            run("INSERT INTO item_words (item_id, words) VALUES (?, ?)", (item, f" {m.text} "))
            run(
                "INSERT INTO event (seq, type, at, actor_kind, actor, source_id, item_id, direct,"
                " details) VALUES ((SELECT coalesce(max(seq), 0) + 1 FROM event), 'created', ?,"
                " 'poller', '', ?, ?, 0, ?)",
                (_NOW, self._source_id, item, json.dumps({"stream": "mentions"})),
            )
        run(
            "INSERT INTO count_status VALUES (?, 'unanswered', 1, 0, 0, ?)"
            " ON CONFLICT DO UPDATE SET total = total + excluded.total",
            (self._source_id, len(new)),
        )

    def close(self) -> None:
        self._db.close()
