"""The limit of marking an item as replied: raw ASGI, sqlite3 and msgspec, with full durability.

It stores what our service must store of the action (the item, the action that can be undone, the
event with its number, the counters), decides nothing and asks for no token.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import msgspec

_encode = msgspec.json.Encoder().encode
_READ = (
    "SELECT id, source_id, version, status, needs_reply, backlog, visibility, occurred_at, text"
    " FROM item WHERE id = ?"
)
_MARK = (
    "UPDATE item SET status = 'replied', answer_evidence = 'declared', answered_at = ?,"
    " answered_by = 'bench', declared_at = ?, declared_by = 'bench', version = version + 1"
    " WHERE id = ? AND status = 'unanswered' AND version = ?"
)
_COUNT = (
    "INSERT INTO count_status (source_id, status, needs_reply, backlog, direct, total)"
    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET total = total + excluded.total"
)
_HOUR = (
    "INSERT INTO count_hour (hour, source_id, direct, total) VALUES (?, ?, ?, -1)"
    " ON CONFLICT DO UPDATE SET total = total + excluded.total"
)
_ACT = (
    "INSERT INTO action (at, actor_kind, actor, name, params, items)"
    " VALUES (?, 'person', 'bench', 'mark_replied', '{}', 1)"
)
_KEEP = (
    "INSERT INTO action_item (action_id, item_id, version_before, version, before)"
    " VALUES (?, ?, ?, ?, ?)"
)
_NUMBER = "UPDATE event_counter SET last = last + 1 WHERE id = 1 RETURNING last"
_TELL = (
    "INSERT INTO event (seq, type, at, actor_kind, actor, source_id, item_id, item_version,"
    " direct, from_status, to_status, evidence, action_id) VALUES (?, 'item.replied', ?, 'person',"
    " 'bench', ?, ?, ?, ?, 'unanswered', 'replied', 'declared', ?)"
)
_HOUR_LENGTH = 3_600_000_000


class RawMark:
    """An ASGI application with one route, `POST …/{id}/mark-replied`. `now` stands still."""

    def __init__(self, path: Path, now: int) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536"):
            self._db.execute(f"PRAGMA {pragma}")
        self._now = now

    def mark(self, item_id: int) -> bytes:
        run, now = self._db.execute, self._now
        run("BEGIN IMMEDIATE")
        (_, source, version, status, needs, backlog, visibility, at, text) = run(
            _READ, (item_id,)
        ).fetchone()
        assert status == "unanswered"
        direct = visibility == "direct"
        run(_MARK, (now, now, item_id, version))
        action = run(_ACT, (now,)).lastrowid
        before = _encode({"status": "unanswered", "answered_at": None}).decode()
        run(_KEEP, (action, item_id, version, version + 1, before))
        run(_COUNT, (source, "unanswered", needs, backlog, direct, -1))
        run(_COUNT, (source, "replied", needs, backlog, direct, 1))
        run(_HOUR, (at // _HOUR_LENGTH, source, direct))
        number = run(_NUMBER).fetchone()[0]
        run(_TELL, (number, now, source, item_id, version + 1, direct, action))
        run("COMMIT")
        return _encode({"id": item_id, "status": "replied", "text": text, "version": version + 1})

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        body = self.mark(int(scope["path"].split("/")[-2]))
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def close(self) -> None:
        self._db.close()
