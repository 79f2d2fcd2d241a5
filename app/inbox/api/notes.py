"""Routes of notes: private words of the team on an item."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from starlette.requests import Request
from starlette.responses import Response

from app.errors import Conflict, NotFound, VersionMismatch
from app.inbox.actions import examples
from app.inbox.api.actions import Triaging, acting_for
from app.inbox.api.lists import Seeing
from app.inbox.notes import service
from app.inbox.notes.schemas import NoteList, NoteOut, note_out
from app.outbox.events import acting
from app.web.answers import answer, answers
from app.web.auth import Permission
from app.web.conditional import if_match
from app.web.deps import Now, Reader, Writer
from app.web.openapi import problems
from app.web.params import PathId
from app.web.routes import Routes
from app.web.wire import Body

router = Routes(tags=["inbox"])
WIRE = (NoteList, NoteOut)
_ASKED = {
    "requestBody": {"content": {"application/json": {"example": {"text": "Ask the warehouse."}}}}
}


def _says_something(text: str) -> str:
    if not text.strip():
        raise ValueError("a note says something")
    return text


class NoteNew(Body):
    """Plain text, seen by the team alone."""

    text: Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(_says_something)]


@router.get(
    "/items/{item_id}/notes",
    summary="The team's notes on an item",
    responses={**answers(NoteList, example=examples.NOTES), **problems(NotFound)},
)
async def list_notes(principal: Seeing, db: Reader, item_id: PathId) -> Response:
    rows = await service.read(db, principal.scope, item_id)
    return answer(NoteList(items=[note_out(row) for row in rows], next_cursor=None))


@router.post(
    "/items/{item_id}/notes",
    status_code=201,
    summary="Write a note on an item",
    openapi_extra=_ASKED,
    responses={
        **answers(NoteOut, example=examples.NOTE, status=201, description="Written."),
        **problems(NotFound, Conflict, VersionMismatch),
    },
)
async def add_note(
    principal: Triaging, tx: Writer, now: Now, request: Request, item_id: PathId, body: NoteNew
) -> Response:
    await acting_for(principal, tx, now, request).note(item_id, body.text)
    rows = await service.read(tx, principal.scope, item_id)
    return answer(note_out(rows[-1]), status=201)


def _editing(principal: Triaging, tx: Writer, now: Now, request: Request) -> service.Editing:
    return service.Editing(
        tx,
        principal.scope,
        acting(principal),
        now,
        admin=principal.may(Permission.MANAGE_TOKENS),
        versions=if_match(request).versions,
    )


@router.patch(
    "/items/{item_id}/notes/{note_id}",
    summary="Change a note; its writer or an admin",
    openapi_extra=_ASKED,
    responses={
        **answers(NoteOut, example=examples.NOTE),
        **problems(NotFound, VersionMismatch),
    },
)
async def change_note(
    principal: Triaging,
    tx: Writer,
    now: Now,
    request: Request,
    item_id: PathId,
    note_id: PathId,
    body: NoteNew,
) -> Response:
    row = await _editing(principal, tx, now, request).change(item_id, note_id, body.text)
    return answer(note_out(row))


@router.delete(
    "/items/{item_id}/notes/{note_id}",
    status_code=204,
    summary="Delete a note; its writer or an admin",
    responses=problems(NotFound, VersionMismatch),
)
async def delete_note(
    principal: Triaging,
    tx: Writer,
    now: Now,
    request: Request,
    item_id: PathId,
    note_id: PathId,
) -> Response:
    await _editing(principal, tx, now, request).delete(item_id, note_id)
    return Response(status_code=204)
