"""Who may be given an item, and whom a request means."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import Row

from app.db import Reader
from app.errors import FieldError, InvalidRequest
from app.scope import Scope
from app.team.users import repository as users
from app.team.users.service import is_visible, may_be_given
from app.web.formats import MAX_ID

ME = "me"
NOBODY: Literal["none"] = "none"


async def person_asked(reader: Reader, scope: Scope, me: int | None, asked: int | str) -> Row[Any]:
    """The person meant (an id, a name, or `me`)."""
    return await _get_person(reader, scope, me, asked, "/assignee")


def check_may_have(person: Row[Any], item: Row[Any]) -> None:
    """422 where the person may not see the item."""
    direct = item.visibility == "direct"
    if (reason := may_be_given(person, item.source_id, direct=direct)) is not None:
        raise InvalidRequest(reason, errors=[FieldError("/assignee", "may_not_see", reason)])


async def assignee_asked(
    reader: Reader, scope: Scope, me: int | None, asked: str
) -> int | Literal["none"]:
    """Whose items a filter means: `me`, `none`, an id or a name."""
    if asked.lower() == NOBODY:
        return NOBODY
    person = await _get_person(reader, scope, me, asked, "?assignee")
    return int(person.id)


async def _get_person(
    reader: Reader, scope: Scope, me: int | None, asked: int | str, pointer: str
) -> Row[Any]:
    if isinstance(asked, str) and asked.lower() == ME:
        asked = need_person(me, pointer)
    if isinstance(asked, int) or (asked.isascii() and asked.isdecimal()):
        found = await users.find_user(reader, min(int(asked), MAX_ID))
    else:
        found = await users.find_by_name(reader, asked)
    if found is None or not is_visible(scope, found):
        detail = f"There is no person {asked!r} in the team. GET /api/v1/users lists them."
        raise InvalidRequest(detail, errors=[FieldError(pointer, "unknown_person", detail)])
    return found


def need_person(me: int | None, pointer: str) -> int:
    """The id of who is calling; a token that stands for nobody is told what helps."""
    if me is not None:
        return me
    detail = (
        "This token belongs to no person, so nobody is meant. Use a token of a person, "
        "or give this one to a person: PATCH /api/v1/tokens/{id} with user_id."
    )
    raise InvalidRequest(detail, errors=[FieldError(pointer, "no_person", detail)])


def named(person: Row[Any]) -> dict[str, Any]:
    """A person as events tell them."""
    return {"id": person.id, "name": person.name, "display_name": person.display_name}
