"""Every value the code may store fits the migrated schema; an unknown status does not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from enum import StrEnum

import pytest
from sqlalchemy import Table, select, update
from sqlalchemy.exc import IntegrityError

from app.cli.covering import STATES
from app.connectors import base
from app.connectors.failures import ConnectorError
from app.connectors.registry import PLATFORMS
from app.db import Database, open_database
from app.inbox import item as inbox
from app.inbox.models import count_status, item, reply
from app.inbox.states import EventType
from app.outbox.models import event
from app.sources.models import run, source, stream, us
from app.team.models import token, user
from app.web.principal import Right, Role
from tests.databases import on_database
from tests.populating import populate
from tests.writing import write

ENUMS: Mapping[tuple[Table, str], type[StrEnum]] = {
    (item, "status"): inbox.Status,
    (item, "status_before"): inbox.Status,
    (item, "kind"): base.Kind,
    (item, "visibility"): base.Visibility,
    (item, "text_format"): base.TextFormat,
    (item, "answer_evidence"): inbox.Evidence,
    (item, "dismissed_reason"): inbox.DismissReason,
    (item, "filed"): base.Filed,
    (reply, "visibility"): base.Visibility,
    (reply, "text_format"): base.TextFormat,
    (count_status, "status"): inbox.Status,
    (event, "type"): EventType,
    (event, "actor_kind"): inbox.ActorKind,
    (event, "from_status"): inbox.Status,
    (event, "to_status"): inbox.Status,
    (event, "evidence"): inbox.Evidence,
    (stream, "shape"): base.Shape,
    (token, "role"): Role,
    (user, "role"): Role,
}
LISTS: Mapping[tuple[Table, str], Sequence[str]] = {
    (stream, "state"): list(STATES),
    (stream, "error_code"): [kind.code for kind in ConnectorError.__subclasses__()],
    (run, "error_code"): [kind.code for kind in ConnectorError.__subclasses__()],
    (run, "outcome"): ["ok", "partial", "failed", "interrupted"],
    (us, "origin"): ["connected", "alias", "listed"],
    (source, "origin"): ["person", "demo"],
    (source, "platform"): list(PLATFORMS),
    (item, "platform"): list(PLATFORMS),
    (reply, "origin"): ["seen", "sent"],
}
VALUES = {**{column: list(enum) for column, enum in ENUMS.items()}, **LISTS}


@pytest.fixture
def full_url(database_url: str) -> str:
    """A database with one row in every table."""
    on_database(database_url, lambda c: populate(c, 1))
    return database_url


@pytest.fixture
async def full(full_url: str) -> AsyncIterator[Database]:
    opened = open_database(full_url)
    yield opened
    await opened.close()


async def test_every_value_can_be_stored(full: Database, subtests: pytest.Subtests) -> None:
    for (table, name), values in VALUES.items():
        with subtests.test(column=f"{table.name}.{name}"):
            stored = table.c[name]
            assert values
            for value in values:
                await write(full, update(table).values({name: value}))
                rows = await full.rows(select(stored))
                assert [row[0] for row in rows] == [value]


@pytest.mark.parametrize("unknown", ["answered", "Unanswered", "", "unanswered "])
async def test_an_unknown_status_is_refused(full: Database, unknown: str) -> None:
    with pytest.raises(IntegrityError, match="ck_item_status"):
        await write(full, update(item).values(status=unknown))


async def test_every_right_is_kept_in_a_token(full: Database) -> None:
    await write(full, update(token).values(rights=list(Right)))
    rows = await full.rows(select(token.c.rights))
    assert rows[0].rights == [right.value for right in Right]
