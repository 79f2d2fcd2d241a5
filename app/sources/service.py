"""What may happen to sources: connecting, checking, changing, pausing, removing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError

from app.connectors.base import Check, Platform
from app.connectors.failures import AuthFailed
from app.connectors.keeping import NotStored
from app.db import Database, Tx
from app.errors import Conflict, VersionMismatch
from app.outbox.events import Actor, Event, record
from app.scope import Scope
from app.sources import repository, runs
from app.sources.connecting import Connecting, platform_named, read_credential, read_settings
from app.sources.drafts import (
    DEFAULT_BACKFILL,
    Changes,
    NewSource,
    base_url,
    check_interval,
    host_of,
    identity_row,
    listed_us,
    listed_us_of,
    other_account,
    read_identity,
    refuse_other_account,
    source_values,
    stream_rows,
    us_rows,
)
from app.sources.purse import allowance_of
from app.team.audit.entry import noted

_BATCH = 500
DEMO = "demo"

Forget = Callable[[Tx, int, int], Awaitable[int]]
"""Deletes up to so many rows that hang on a source; returns how many it deleted."""


class Sources:
    """What may happen to sources. `forget` empties what hangs on one before its row goes."""

    def __init__(
        self, connecting: Connecting, *, allowed: Sequence[str], forget: Sequence[Forget]
    ) -> None:
        self._connecting = connecting
        self._db: Database = connecting.db
        self._allowed = tuple(allowed)
        self._forget = tuple(forget)

    async def check(
        self, platform: str, settings: Mapping[str, Any], credential: Mapping[str, Any] | None
    ) -> Check:
        """Identity and rights of a credential, before anything is saved.

        Raises `InvalidRequest` for fields that don't fit, and the connector's own failures.
        """
        found = platform_named(platform)
        read, secret = read_settings(found, settings), read_credential(found, credential)
        return await self._connecting.connector(found, read, secret, NotStored()).check()

    async def check_stored(self, scope: Scope, source_id: int) -> Check:
        """The same for a source that is there; remembers what it saw, unless it is the credential
        of another account by now, which is `AuthFailed`.
        """
        row = await repository.get_source(self._db, scope, source_id)
        check = await self._connecting.connector_of(row).check()
        if (other := other_account(row, check)) is not None:
            raise AuthFailed(f"{other} Connect it again.")
        async with self._db.write() as tx:
            await self._note_check(tx, row.id, check)
            noted(tx)
        return check

    async def _note_check(self, tx: Tx, source_id: int, check: Check) -> None:
        values: dict[str, Any] = {
            "checked_at": self._connecting.clock.now(),
            "warnings": list(check.warnings),
        }
        if check.identity is not None:
            values["identity"] = identity_row(check.identity)
        if check.expires_at is not None:
            values["credential_expires_at"] = check.expires_at
        await repository.note_on_source(tx, source_id, values)

    async def connect(self, asked: NewSource, actor: Actor) -> int:
        """Checks and stores a new source; it is polled at the next tick. Returns its id.

        Raises `InvalidRequest`, `Conflict` (name taken) and the connector's own failures.
        """
        platform = platform_named(asked.platform)
        settings = read_settings(platform, asked.settings)
        credential = read_credential(platform, asked.credential)
        host = host_of(base_url(platform, settings))
        interval = check_interval(platform, host, asked.poll_interval, self._allowed)
        await self._refuse_taken(asked.platform, asked.name)
        keep = NotStored()
        connector = self._connecting.connector(platform, settings, credential, keep)
        check = await connector.check()
        if keep.renewed:
            credential = read_credential(platform, keep.renewed)
        now = self._connecting.clock.now()
        values = source_values(asked, settings, check, host=host, interval=interval, now=now)
        try:
            async with self._db.write() as tx:
                source_id = await repository.add_source(tx, values)
                await self._store_credential(tx, platform, source_id, credential, now)
                await repository.replace_us(tx, source_id, us_rows(check.identity, asked.also_us))
                await repository.add_streams(
                    tx,
                    stream_rows(
                        source_id,
                        connector.streams(),
                        now=now,
                        backfill=DEFAULT_BACKFILL if asked.backfill is None else asked.backfill,
                    ),
                )
                details = {"platform": asked.platform, "name": asked.name}
                record(tx, _event("source.connected", now, actor, source_id, details))
                noted(tx, "source", source_id)
        except IntegrityError:
            raise _taken(asked.platform, asked.name) from None
        return source_id

    async def _refuse_taken(self, platform: str, name: str) -> None:
        if await repository.find_by_name(self._db, platform, name) is not None:
            raise _taken(platform, name)

    async def _store_credential(
        self, tx: Tx, platform: Platform, source_id: int, credential: Any, now: datetime
    ) -> None:
        if credential is None:
            return
        # Sealed for its row, so the row's id must exist first.
        sealed = self._connecting.seal(source_id, credential)
        allowance = allowance_of(platform, credential)
        values = {"credential": sealed, "credential_set_at": now, "allowance": allowance}
        await repository.note_on_source(tx, source_id, values)

    async def change(
        self, scope: Scope, source_id: int, asked: Changes, actor: Actor, version: int | None
    ) -> None:
        """Changes a source in place: items, cursors and watermarks stay.

        A new credential is checked first; it must belong to the same account. Raises
        `VersionMismatch` where `version` is not the present one.
        """
        row = await repository.get_source(self._db, scope, source_id)
        if version is not None and row.version != version:
            raise _changed_meanwhile(row.name)
        async with self._kept_credential(row, asked) as stored:
            await self._change(row, asked, actor, stored)

    @asynccontextmanager
    async def _kept_credential(
        self, row: Row[Any], asked: Changes
    ) -> AsyncIterator[Mapping[str, str] | None]:
        """What new settings are checked with where no credential is given: the stored one, which
        the check may have to renew. Nobody else renews it before that is stored.
        """
        if asked.settings is None or asked.credential is not None or row.credential is None:
            yield None
            return
        async with self._connecting.stored(row).renewing() as stored:
            yield stored

    async def _change(
        self, row: Row[Any], asked: Changes, actor: Actor, stored: Mapping[str, str] | None
    ) -> None:
        source_id, platform = row.id, platform_named(row.platform)
        now = self._connecting.clock.now()
        values = self._plain_changes(platform, row, asked, now)
        check, credential = await self._recheck(platform, row, asked, stored)
        new_us = asked.also_us is not None and await self._lists_others(row.id, asked.also_us)
        if not values and check is None and not new_us:
            return
        values["updated_at"] = now
        if new_us or check is not None:  # what is stored is told apart again by the next poll
            values |= {"us_changed": True, "next_poll_at": None if row.paused else now}
        try:
            async with self._db.write() as tx:
                if check is not None:
                    await self._note_check(tx, source_id, check)
                    values["missing"] = list(check.missing)
                    await self._store_credential(tx, platform, source_id, credential, now)
                    await repository.forget_failures(tx, source_id, now)
                if check is not None or asked.also_us is not None:
                    await self._store_us(tx, row, asked, check)
                if asked.budget is not None:
                    await repository.forget_spent(tx, source_id, now)
                if not await repository.change_source(tx, source_id, values, version=row.version):
                    raise _changed_meanwhile(row.name)
                kind = "source.changed" if check is None else "source.reconnected"
                changed = {name for name in Changes.__slots__ if getattr(asked, name) is not None}
                record(tx, _event(kind, now, actor, source_id, {"changed": sorted(changed)}))
                noted(tx, "source", source_id)
        except IntegrityError:
            raise _taken(row.platform, asked.name or row.name) from None

    async def _lists_others(self, source_id: int, also_us: Sequence[str]) -> bool:
        listed = listed_us(await repository.us_of(self._db, [source_id]))
        return sorted(listed) != sorted(listed_us_of(also_us))

    @staticmethod
    async def _store_us(tx: Tx, row: Any, asked: Changes, check: Check | None) -> None:
        identity = check.identity if check is not None else read_identity(row.identity)
        listed = asked.also_us
        if listed is None:
            listed = listed_us(await repository.us_of(tx, [row.id]))
        await repository.replace_us(tx, row.id, us_rows(identity, listed))

    def _plain_changes(
        self, platform: Platform, row: Any, asked: Changes, now: datetime
    ) -> dict[str, Any]:
        values: dict[str, Any] = {}
        host = row.host
        if asked.settings is not None:
            settings = read_settings(platform, asked.settings)
            host = host_of(base_url(platform, settings))
            values |= {"settings": settings.model_dump(mode="json"), "host": host}
        if asked.poll_interval is not None:
            values["poll_interval"] = check_interval(
                platform, host, asked.poll_interval, self._allowed
            )
            values["next_poll_at"] = None if row.paused else now
        if asked.backlog_after is not None:
            values["backlog_after"] = int(asked.backlog_after.total_seconds())
        if asked.name is not None:
            values["name"] = asked.name
        if asked.budget is not None:
            values["budget"] = asked.budget
        if asked.labels is not None:
            values["labels"] = list(asked.labels)
        same = {name for name, value in values.items() if getattr(row, name) == value}
        if "poll_interval" in same:
            same.add("next_poll_at")
        return {name: value for name, value in values.items() if name not in same}

    async def _recheck(
        self, platform: Platform, row: Any, asked: Changes, stored: Mapping[str, str] | None
    ) -> tuple[Check | None, Any]:
        if asked.settings is None and asked.credential is None:
            return None, None
        settings = read_settings(
            platform, row.settings if asked.settings is None else asked.settings
        )
        plain = stored if asked.credential is None else asked.credential
        credential = read_credential(platform, plain)
        keep = NotStored()
        check = await self._connecting.connector(platform, settings, credential, keep).check()
        refuse_other_account(row, check)
        return check, read_credential(platform, keep.renewed) if keep.renewed else credential

    async def pause(
        self,
        scope: Scope,
        source_id: int,
        actor: Actor,
        *,
        paused: bool,
        version: int | None = None,
    ) -> None:
        """Pauses or resumes polling; what already holds stays without an event. Raises
        `VersionMismatch` where `version` is not the present one.
        """
        row = await repository.get_source(self._db, scope, source_id)
        now = self._connecting.clock.now()
        async with self._db.write() as tx:
            await _refuse_other(tx, row, version)
            if await repository.pause(tx, row.id, paused=paused, now=now):
                kind = "source.paused" if paused else "source.resumed"
                record(tx, _event(kind, now, actor, row.id, None))
            noted(tx)

    async def remove(
        self, scope: Scope, source_id: int, actor: Actor, *, version: int | None = None
    ) -> None:
        """Removes a source with everything that hangs on it; of the demo, all its sources. Raises
        `VersionMismatch` where `version` is not the present one; then nothing has been removed.
        """
        row = await repository.get_source(self._db, scope, source_id)
        await self.pause(scope, source_id, actor, paused=True, version=version)
        if row.origin == DEMO:
            for other in await repository.sources_of_origin(self._db, DEMO):
                await self._remove(scope, other, actor)
        else:
            await self._remove(scope, row, actor)

    async def _remove(self, scope: Scope, row: Row[Any], actor: Actor) -> None:
        """In batches, so that nobody waits long for the database; the row itself comes last."""
        source_id = row.id
        await self.pause(scope, source_id, actor, paused=True)
        async with self._db.write() as tx:
            # A poll under way must not store what is being removed: its fence is void from here.
            await repository.void_lease(tx, source_id)
        for forget in self._forget:
            while True:
                async with self._db.write() as tx:
                    gone = await forget(tx, source_id, _BATCH)
                if gone < _BATCH:
                    break
        now = self._connecting.clock.now()
        async with self._db.write() as tx:
            await repository.remove_source(tx, source_id)
            details = {"platform": row.platform, "name": row.name}
            record(tx, _event("source.removed", now, actor, None, details))

    async def pause_backfill(
        self,
        scope: Scope,
        source_id: int,
        actor: Actor,
        *,
        paused: bool,
        version: int | None = None,
    ) -> None:
        """Pauses or resumes the first read-back of every stream; new messages are read on. Raises
        `VersionMismatch` where `version` is not the present one.
        """
        row = await repository.get_source(self._db, scope, source_id)
        now = self._connecting.clock.now()
        async with self._db.write() as tx:
            await _refuse_other(tx, row, version)
            if await repository.pause_backfill(tx, row.id, paused=paused):
                kind = "source.backfill_paused" if paused else "source.backfill_resumed"
                record(tx, _event(kind, now, actor, row.id, None))
            noted(tx)

    async def poll_soon(
        self,
        scope: Scope,
        source_id: int,
        also: Callable[[Tx], Awaitable[None]] | None = None,
    ) -> int:
        """Asks for a poll of every stream, or joins the one that was asked for; the run's id.

        `also` is done in the same transaction.
        """
        row = await repository.get_source(self._db, scope, source_id)
        if row.paused:
            raise Conflict(
                f"The source {row.name!r} is paused. Resume it first.",
                extra={"current_status": "paused", "allowed_actions": ["resume"]},
            )
        now = self._connecting.clock.now()
        async with self._db.write() as tx:
            if also is not None:
                await also(tx)
            # First the source's row, which holds others off: two wishes at once are one run.
            await repository.poll_soon(tx, source_id, now)
            noted(tx)
            return await runs.request_run(tx, source_id, now)


def _event(kind: str, now: datetime, actor: Actor, source_id: int | None, details: Any) -> Event:
    return Event(type=kind, at=now, actor=actor, source_id=source_id, details=details)


def _taken(platform: str, name: str) -> Conflict:
    return Conflict(f"There is a {platform} source named {name!r} already. Choose another name.")


async def _refuse_other(tx: Tx, row: Row[Any], version: int | None) -> None:
    """Holds the source's row against others where its version matters."""
    if version is not None and await repository.lock_version(tx, row.id) != version:
        raise _changed_meanwhile(row.name)


def _changed_meanwhile(name: str) -> VersionMismatch:
    return VersionMismatch(f"{name!r} was changed by somebody else. Read it again, then change it.")
