"""What routes of the team share: fields of their bodies, and the caller's changes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints
from starlette.requests import Request

from app.db import Tx
from app.team.managing import Managing
from app.web.principal import Principal, Right
from app.web.wire import Id

Display = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Rights = Annotated[list[Right], Field(max_length=20)]
SourceIds = Annotated[list[Id], Field(max_length=1000)]


def managing(request: Request, tx: Tx, principal: Principal, now: datetime) -> Managing:
    state = request.app.state
    return Managing(tx, principal, now, state.known_sources, state.resolve)


def shown(example: Any) -> dict[str, Any]:
    """The example of a body."""
    return {"requestBody": {"content": {"application/json": {"example": example}}}}


def columns_of(body: BaseModel, may_be_null: Collection[str] | None = None) -> dict[str, Any]:
    """A body as columns, lists in the order they are stored in. With `may_be_null` only what was
    given; null counts as given for the names in it alone.
    """
    found: dict[str, Any] = {}
    for name in type(body).model_fields:
        value = getattr(body, name)
        given = name in body.model_fields_set and (value is not None or name in (may_be_null or ()))
        if may_be_null is None or given:
            found[name] = _stored(value)
    return found


def _stored(value: Any) -> Any:
    if isinstance(value, list):
        return sorted({_stored(each) for each in value})
    return str(value) if isinstance(value, str) else value
