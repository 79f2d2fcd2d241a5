"""Runs the migrations on a connection handed in by app.schema, or on alembic.ini's own."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine

from app.db import UtcTime
from app.schema import metadata

_PLAIN_TIME = 'sa.BigInteger().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")'


def render_item(kind: str, value: Any, _context: AutogenContext) -> str | Literal[False]:
    """Writes our types as plain SQLAlchemy ones: revisions never import the application."""
    if kind == "type" and isinstance(value, UtcTime):
        return _PLAIN_TIME
    return False


def refuse_orphans(ctx: MigrationContext, *_: Any, **__: Any) -> None:
    """Runs inside each revision's transaction, so that a revision that loses parents is undone."""
    connection = ctx.connection
    if connection is None or connection.dialect.name != "sqlite":
        return  # PostgreSQL checks by itself
    orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if orphans:
        raise RuntimeError(f"rows without their parent after migrating: {orphans[:5]}")


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """Leaves out the index of words and what FTS5 keeps beside it: they are no tables of ours."""
    return kind != "table" or not (name or "").startswith("item_search")


def include_object(_thing: Any, name: str | None, kind: str, *_: Any) -> bool:
    """The index of words exists on PostgreSQL only, which alembic can't tell from a missing one."""
    return kind != "index" or name != "ix_item_words"


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        render_item=render_item,
        include_name=include_name,
        include_object=include_object,
        compare_type=True,
        compare_server_default=False,  # the two databases spell the same default differently
        transaction_per_migration=True,
        on_version_apply=refuse_orphans,
        transactional_ddl=True,  # also on SQLite: app.schema begins its transactions itself
    )
    with context.begin_transaction():
        context.run_migrations()


handed_in = context.config.attributes.get("connection")
if handed_in is not None:
    run(handed_in)
else:
    url = context.get_x_argument(as_dictionary=True).get("url", "sqlite:///unanswered.db")
    with create_engine(url).connect() as own:
        run(own)
