"""What `doctor` sees of the keys for stored credentials: do they fit, is something left to do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

from app.cli.failure import Failure
from app.cli.health import Finding, fail
from app.cli.started import command

if TYPE_CHECKING:
    from app.rotation.steps import KeyTold
    from app.settings import Settings

SUBJECT = "keys"


def examine(settings: Settings) -> Iterator[Finding]:
    """Asked of a database at this version's revision that has been used."""
    from app.cli.migrating import asked
    from app.errors import Conflict

    try:
        told = asked(settings, lambda _: asyncio.run(_told(settings)))
    except Failure as trouble:
        if isinstance(trouble.__cause__, Conflict):
            return  # it was never used
        yield fail(SUBJECT, trouble.sentence, "see docs/keys.md")
        return
    found = list(_of_keys(told))
    yield from found or [Finding("ok", SUBJECT, f"one, {told[0].id}, opens everything")]


async def _told(settings: Settings) -> list[KeyTold]:
    from app.db import open_database
    from app.rotation.steps import keys_told

    db = open_database(settings.database)
    try:
        return await keys_told(db, settings)
    finally:
        await db.close()


def _of_keys(told: list[KeyTold]) -> Iterator[Finding]:
    for key in told:
        where = ", ".join(sorted(key.columns))
        if key.role == "is missing":
            yield fail(SUBJECT, f"{key.id}, which sealed {key.envelopes:,} values in {where}, "
                       "is missing", "put it into the key file, see docs/keys.md")  # fmt: skip
        elif key.role == "is no envelope":
            yield fail(SUBJECT, f"{key.envelopes:,} values in {where} are not sealed by us",
                       "set these credentials again")  # fmt: skip
        elif key.role == "is next":
            yield Finding("warn", SUBJECT, f"{key.id} is prepared and seals nothing yet",
                          command("secrets rotate"))  # fmt: skip
        elif key.role == "opens" and key.envelopes:
            yield Finding("warn", SUBJECT, f"a rotation is not finished: {key.envelopes:,} values "
                          f"still need {key.id}", command("secrets rotate"))  # fmt: skip
        elif key.role == "opens":
            yield Finding("warn", SUBJECT, f"nothing needs the old key {key.id} any more",
                          command("secrets rotate --drop-old"))  # fmt: skip
