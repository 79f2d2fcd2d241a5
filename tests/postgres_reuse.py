"""PostgreSQL databases that are emptied and used again: a copy costs five times as much."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

import asyncpg

from tests.postgres import Postgres, create_database, drop_database

_OURS = "relnamespace = 'public'::regnamespace"
_SHAPE = f"""
SELECT json_build_array(
  (SELECT json_build_array(count(*), sum(oid::bigint)) FROM pg_class WHERE {_OURS}),
  (SELECT json_build_array(count(*), sum(atttypid::bigint), sum(attnotnull::int))
     FROM pg_attribute WHERE NOT attisdropped
      AND attrelid IN (SELECT oid FROM pg_class WHERE {_OURS})),
  (SELECT json_build_array(count(*), sum(oid::bigint)) FROM pg_constraint),
  (SELECT json_build_array(count(*), sum(oid::bigint)) FROM pg_trigger),
  (SELECT json_build_array(count(*), sum(oid::bigint)) FROM pg_proc),
  (SELECT json_build_array(count(*), sum(oid::bigint)) FROM pg_extension),
  (SELECT count(*) FROM pg_db_role_setting
    WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())),
  (SELECT json_object_agg(seqrelid, pg_sequence_last_value(seqrelid) ORDER BY seqrelid)
     FROM pg_sequence),
  (SELECT json_agg(relname ORDER BY relname) FROM pg_class
    WHERE {_OURS} AND relkind = 'r' AND pg_relation_size(oid) > 0)
)::text
"""
"""What a test may not leave behind: other tables, columns, constraints, settings, sequences."""
_WRITTEN = f"""
SELECT quote_ident(relname), pg_relation_size(oid) FROM pg_class
 WHERE {_OURS} AND relkind = 'r' AND pg_relation_size(oid) > 0
"""
_SMALL = 2**20
"""Bytes up to which deleting is cheaper: emptying at once makes new files for every index."""
_NEVER_COUNTED = f"""
UPDATE pg_class SET relpages = 0, reltuples = -1
 WHERE {_OURS} AND relkind = 'r' AND quote_ident(relname) = ANY($1)
"""
"""As new for the planner too: it makes something else of a table that it knows to be empty."""
_ADVANCED = """
SELECT seqrelid::regclass::text FROM pg_sequence WHERE pg_sequence_last_value(seqrelid) IS NOT NULL
"""
_END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@dataclass(slots=True)
class Supply:
    """Databases equal to a template. Each use has a name of its own, so that a process that a
    test forgot finds nothing any more.
    """

    server: Postgres
    template: str
    _shape: str = ""
    _seeds: dict[str, str] = field(default_factory=dict)
    _free: list[str] = field(default_factory=list)

    async def take(self) -> str:
        """The name of a database that equals the template."""
        name = f"test_{uuid.uuid4().hex}"
        if not self._free:
            await self._look_at_template()
            await create_database(self.server, name, self.template)
            return name
        connection = await self._connect("postgres")
        try:
            await connection.execute(f'ALTER DATABASE "{self._free.pop()}" RENAME TO "{name}"')
        finally:
            await connection.close()
        return name

    async def give_back(self, name: str) -> None:
        """Empties it for the next; drops it where it no longer equals the template, or is gone."""
        try:
            connection = await self._connect(name)
        except asyncpg.InvalidCatalogNameError:
            return
        try:
            await connection.execute(_END_OTHERS)
            same = await self._empty(connection)
        except asyncpg.PostgresError:
            same = False
        finally:
            await connection.close()
        if same:
            self._free.append(name)
        else:
            await drop_database(self.server, name)

    async def close(self) -> None:
        while self._free:
            await drop_database(self.server, self._free.pop())

    async def _empty(self, connection: asyncpg.Connection) -> bool:
        if written := dict(await connection.fetch(_WRITTEN)):
            await _empty_tables(connection, list(written), small=sum(written.values()) <= _SMALL)
        for (sequence,) in await connection.fetch(_ADVANCED):
            await connection.execute(f"ALTER SEQUENCE {sequence} RESTART")
        for table, rows in self._seeds.items():
            sown = f"INSERT INTO {table} SELECT * FROM json_populate_recordset(null::{table}, $1)"
            await connection.execute(sown, rows)
        shape: str = await connection.fetchval(_SHAPE)
        return shape == self._shape

    async def _look_at_template(self) -> None:
        """What its migrations wrote, and how it looks. Nobody stays connected to it."""
        if self._shape:
            return
        connection = await self._connect(self.template)
        try:
            for table, _ in await connection.fetch(_WRITTEN):
                rows = await connection.fetchval(f"SELECT json_agg({table})::text FROM {table}")
                self._seeds[table] = rows or "[]"
            self._shape = await connection.fetchval(_SHAPE)
        finally:
            await connection.close()

    async def _connect(self, database: str) -> asyncpg.Connection:
        return await asyncpg.connect(self.server.url(database, scheme="postgresql"))


async def _empty_tables(
    connection: asyncpg.Connection, names: Sequence[str], *, small: bool
) -> None:
    listed = ", ".join(names)
    if not small:
        await connection.execute(f"TRUNCATE {listed} RESTART IDENTITY CASCADE")
        return
    await connection.execute("SET session_replication_role = replica")  # fires no trigger
    await connection.execute("; ".join(f"DELETE FROM {name}" for name in names))
    await connection.execute("RESET session_replication_role")
    await connection.execute(f"VACUUM {listed}")
    await connection.execute(_NEVER_COUNTED, names)
