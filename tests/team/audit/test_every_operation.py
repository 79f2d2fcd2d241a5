"""Whatever changes something leaves one row, in the transaction that makes the change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Row, func, select, text

from app.db import Database, metadata
from app.team.audit.models import audit
from app.web.audited import FLEETING
from tests.team.audit.everything import PLACES, UNSAFE, Everything, House, house

OBJECTS = {
    "check_source_draft": None,
    "check_connection": "connection",
    "begin_connection": "connection",
    "give_up_connection": "connection",
    "finish_connection": "source",
    "act_on_items": "action",
    "undo_action": "action",
    "import_items": None,
    "test_rule": None,
    "retry_quarantined": "quarantine",
    "retry_delivery": "delivery",
    "add_note": "note",
    "change_note": "note",
    "delete_note": "note",
    "create_source": "source",
    "erase_author": "author",
    "set_item_labels": "item",
    "create_label": "label",
    "create_view": "view",
    "create_policy": "policy",
    "create_rule": "rule",
    "create_webhook": "webhook",
    "create_user": "user",
    "create_token": "token",
    "create_sign_in_link": "user",
    "set_up": "session",
    "change_password": None,
    "sign_in": "session",
    "sign_out": None,
    "end_sessions": None,
}
"""What a row is about, where it is not what the last parameter of the path is called after."""
MADE = {name for name, kind in OBJECTS.items() if kind and PLACES[name][0] == "POST"} - {
    "check_connection", "act_on_items", "undo_action", "retry_quarantined", "retry_delivery",
    "add_note", "create_sign_in_link",
}  # fmt: skip
STAY = {"delete_note", "delete_token", "delete_user"}
"""Rows that stay, so that what they did has a name."""
BEGUN = {"erase_author", "delete_source"}
"""Done in many transactions: the row comes with the first, before anything is lost."""
_BY_ITSELF = frozenset({
    "audit", "delivery", "host", "idempotency_key", "installation", "item_words", "search_todo",
    "sign_in_attempts", "token",
})  # fmt: skip
"""Tables that the service writes beside requests, and the one with the switch of the test."""
_FARES = {"webhook": ("id", "url", "secret", "description", "version")}
_SWITCH = (
    "CREATE TRIGGER full_trail BEFORE INSERT ON audit "
    "WHEN EXISTS (SELECT 1 FROM installation WHERE key = 'full') "
    "BEGIN SELECT RAISE(ABORT, 'no row fits'); END"
)
_SWITCH_OF_POSTGRESQL = (
    """
CREATE FUNCTION full_trail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM installation WHERE key = 'full') THEN
    RAISE EXCEPTION 'no row fits';
  END IF;
  RETURN NEW;
END
$$
""",
    "CREATE TRIGGER full_trail BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION full_trail()",
)


async def run(db: Database, *statements: str) -> None:
    async with db.write() as tx:
        for statement in statements:
            await tx.execute(text(statement))


async def stored(db: Database) -> dict[str, str]:
    """Every table that only requests write, as text. Where it is one file that is cheap; what it
    shows is the same on the other.
    """
    found: dict[str, str] = {}
    if db.dialect != "sqlite":
        return found
    for table in metadata.sorted_tables:
        if table.name not in _BY_ITSELF:
            columns = [table.c[name] for name in _FARES.get(table.name, table.c.keys())]
            rows = await db.rows(select(*columns).order_by(*table.primary_key.columns))
            found[table.name] = str(rows)
    return found


async def rows_after(db: Database, last: int) -> list[Row[Any]]:
    return list(await db.rows(select(audit).where(audit.c.id > last).order_by(audit.c.id)))


async def newest(db: Database) -> int:
    return int((await db.rows(select(func.coalesce(func.max(audit.c.id), 0))))[0][0])


class Watching:
    """Sends each request twice: first where no row fits into the trail, then as usual."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.rows: list[tuple[str, Row[Any]]] = []

    async def __call__(
        self, name: str, send: Callable[[], Awaitable[httpx.Response]]
    ) -> httpx.Response:
        before, last = await stored(self.db), await newest(self.db)
        await run(self.db, "INSERT INTO installation (key, value) VALUES ('full', '{}')")
        refused = await send()
        await run(self.db, "DELETE FROM installation WHERE key = 'full'")
        assert not refused.is_success, name
        assert await stored(self.db) == before, f"{name} changed something without a row"
        answered = await send()
        assert answered.is_success, (name, answered.text)
        found = await rows_after(self.db, last)
        assert len(found) == 1, (name, [dict(row._mapping) for row in found])
        row = found[0]
        assert (row.operation, row.outcome, row.answer_status) == (name, "done", None)
        assert row.request_id == answered.headers["x-request-id"]
        assert row.address == "127.0.0.1"
        self.rows.append((name, row))
        return answered


def kind_of(name: str) -> str | None:
    if name in OBJECTS:
        return OBJECTS[name]
    return PLACES[name][1].rpartition("{")[2].partition("_id}")[0]


def check_object(name: str, row: Row[Any]) -> None:
    kind = kind_of(name)
    assert (row.object or "").partition(":")[0] == (kind or ""), (name, row.object)
    gone = PLACES[name][0] == "DELETE" and name not in STAY | BEGUN
    if kind is not None and name not in {"act_on_items", "undo_action"}:
        assert (row.before_hash is None) == (name in MADE or name == "add_note"), name
        assert (row.after_hash is None) == gone, name


async def test_each_leaves_one_row_in_the_transaction_of_its_change(
    database_url: str, tmp_path: Path
) -> None:
    async with house(database_url, tmp_path) as place:
        db = place.service.db
        await run(db, *([_SWITCH] if db.dialect == "sqlite" else _SWITCH_OF_POSTGRESQL))
        watching = Watching(db)
        everything = Everything(place, watching)
        await everything.all()
        unsafe = {name for name, (method, _) in PLACES.items() if method in UNSAFE}
        assert everything.done == unsafe - FLEETING.keys(), "an operation nobody does here yet"
        for name, row in watching.rows:
            check_object(name, row)
        await told(place, dict(watching.rows))


async def told(place: House, rows: Mapping[str, Row[Any]]) -> None:
    """What some of them say."""
    mira, token = place.ids["user_id"], place.ids["token_id"]
    by_mira = rows["dismiss_item"]
    assert (by_mira.actor_kind, by_mira.actor_id, by_mira.actor_name) == ("user", mira, "mira")
    assert by_mira.token_id == token
    assert by_mira.source_id == place.ids["source_id"]
    assert by_mira.details["changes"]["status"] == {"from": "unanswered", "to": "dismissed"}
    bootstrap = rows["create_token"]
    assert (bootstrap.actor_kind, bootstrap.actor_name) == ("token", "bootstrap")
    assert bootstrap.actor_id == bootstrap.token_id
    assert bootstrap.details["changes"]["role"] == {"from": None, "to": "admin"}
    assert rows["update_token"].details["changes"]["role"] == {"from": "admin", "to": "viewer"}
    assert rows["rotate_secret"].details["changes"]["secret"] == {}
    assert rows["act_on_items"].details == {"action": "dismiss", "items": 2}
    assert rows["import_items"].details == {"lines": 3}
