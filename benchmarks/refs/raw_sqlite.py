"""The data limit: raw ASGI, sqlite3 and msgspec, nothing else. It answers what `GET /items` does.

Everything that our service does beside is left out: no token, no filter, no layer, no coverage
read from the database. The page itself is the same, byte by byte.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

_SQL = """
SELECT i.id, i.platform, i.source_id, s.name, i.stream, i.kind, i.status, i.needs_reply,
  i.visibility, i.filed, i.time_suspect, t.title, i.value_score, i.value_reasons, i.text,
  i.text_raw, i.text_format, i.language, i.permalink, i.external_id, i.thread_id,
  i.parent_external_id, i.author_id, a.handle, a.display_name, a.url, a.avatar_url, a.followers,
  a.is_bot, a.signals, i.occurred_at, i.first_seen_at, i.edited_at, i.due_at, i.snoozed_until,
  i.backlog, i.assignee_id, p.name, p.display_name, i.claimed_until, i.note_count,
  i.possibly_answered, i.edited_after_answer, i.reply_unverified, i.acknowledged_at,
  i.community_replies, i.answer_evidence, i.answered_at, i.answered_by, i.reply_url,
  i.dismissed_reason, i.signals, i.media, i.version,
  (SELECT json_group_array(l.name) FROM item_label c JOIN label l ON l.id = c.label_id
    WHERE c.item_id = i.id)
FROM item i JOIN author a ON a.id = i.author_id JOIN thread t ON t.id = i.thread_id
  JOIN source s ON s.id = i.source_id LEFT JOIN user p ON p.id = i.assignee_id
WHERE i.status = 'unanswered' AND i.needs_reply AND NOT i.backlog
  AND (i.snoozed_until IS NULL OR i.snoozed_until <= ?)
ORDER BY i.occurred_at, i.id LIMIT 51
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.decode


def _stamp(micros: int | None) -> str | None:
    if micros is None:
        return None
    at = (_EPOCH + timedelta(microseconds=micros)).replace(tzinfo=None)
    return f"{at.isoformat(timespec='milliseconds')}Z"


class RawSqlite:
    """An ASGI application with one route and one statement. `now` stands still."""

    def __init__(self, path: Path, now: datetime, actions: list[str]) -> None:
        self._db = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)
        for pragma in ("cache_size=-65536", "mmap_size=1073741824", "temp_store=MEMORY"):
            self._db.execute(f"PRAGMA {pragma}")
        self._now = int((now - _EPOCH) / timedelta(microseconds=1))
        self._actions = actions

    def page(self) -> bytes:
        now = self._now
        rows = self._db.execute(_SQL, (now,)).fetchall()
        as_of = _stamp(now)
        return _encode(
            {
                "items": [self._item(row, now) for row in rows[:50]],
                "next_cursor": f"{rows[49][30]}.{rows[49][0]}" if len(rows) > 50 else None,
                "as_of": as_of,
                "coverage": {"as_of": as_of, "complete": True, "streams": []},
                "search": None,
            }
        )

    def _item(self, row: tuple[Any, ...], now: int) -> dict[str, Any]:
        return {
            "id": row[0], "platform": row[1], "source_id": row[2], "source_name": row[3],
            "stream": row[4], "kind": row[5], "status": row[6], "needs_reply": bool(row[7]),
            "visibility": row[8], "held": row[9] == "held", "time_suspect": bool(row[10]),
            "thread_title": row[11],
            "value": {"score": row[12], "reasons": _decode(row[13]) if row[13] else []},
            "text": row[14], "text_raw": row[15] or row[14], "text_format": row[16],
            "language": row[17], "permalink": row[18], "external_id": row[19],
            "thread_id": row[20], "parent_external_id": row[21],
            "author": {
                "id": row[22], "handle": row[23], "display_name": row[24], "url": row[25],
                "avatar_url": row[26], "followers": row[27], "is_bot": bool(row[28]),
                "signals": _decode(row[29]),
            },
            "occurred_at": _stamp(row[30]), "first_seen_at": _stamp(row[31]),
            "edited_at": _stamp(row[32]), "age_seconds": (now - row[30]) // 1_000_000,
            "due_at": _stamp(row[33]), "overdue": row[33] is not None and row[33] < now,
            "snoozed_until": _stamp(row[34]), "backlog": bool(row[35]),
            "assignee": None if row[36] is None
            else {"id": row[36], "name": row[37], "display_name": row[38]},
            "claim": None, "labels": sorted(_decode(row[54])), "note_count": row[40],
            "possibly_answered": bool(row[41]), "edited_after_answer": bool(row[42]),
            "reply_unverified": bool(row[43]), "acknowledged_at": _stamp(row[44]),
            "community_replies": row[45], "answer": None, "dismissed_reason": row[50],
            "signals": _decode(row[51]), "media": _decode(row[52]), "external_links": [],
            "version": row[53], "allowed_actions": self._actions,
        }  # fmt: skip

    async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
        body = self.page()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
