"""People: their history with us, muting, notes, and erasing everything of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from app.errors import Conflict, NotAllowed, NotFound, VersionMismatch
from app.inbox.authors import examples, repository, service
from app.inbox.authors.repository import AuthorFilter
from app.inbox.authors.schemas import AuthorDetail, AuthorList, ErasureOut, person_out
from app.inbox.erasing.service import Erasing
from app.outbox.events import Actor
from app.team.audit.entry import tell
from app.web.answers import answer, answers
from app.web.auth import Permission, Principal, needs
from app.web.conditional import etag, if_match
from app.web.deps import Now, Reader, Writer
from app.web.openapi import problems
from app.web.paging import CURSOR, LIMIT, decode_cursor, encode_cursor, next_link
from app.web.params import BOOLEAN, Param, Params, PathId, text
from app.web.routes import Routes
from app.web.wire import Body

router = Routes(tags=["authors"])
WIRE = (AuthorDetail, AuthorList, ErasureOut)

Seeing = Annotated[Principal, Depends(needs(Permission.READ))]
Triaging = Annotated[Principal, Depends(needs(Permission.TRIAGE))]
ErasingPeople = Annotated[Principal, Depends(needs(Permission.ERASE))]

FILTERS = Params(
    (
        Param("handle", text(300), "How the handle begins, in any case; a leading @ is skipped."),
        Param("platform", text(40), "Only these platforms. Repeatable.", many=True),
        Param("muted", BOOLEAN, "Only the muted, or only those who are heard."),
        LIMIT,
        CURSOR,
    )
)
DRY_RUN = Params((Param("dry_run", BOOLEAN, "Only count; nothing is changed.", default=False),))
_ORDER = "handle"


class AuthorPatch(Body):
    """What may be changed; what is left out stays. `notes: ""` removes them."""

    muted: bool | None = None
    notes: Annotated[str, Field(max_length=10_000)] | None = None


@router.get(
    "/authors",
    summary="People who wrote to us, by handle",
    openapi_extra=FILTERS.openapi(),
    responses=answers(AuthorList, example=examples.AUTHOR_LIST),
)
async def list_authors(principal: Seeing, db: Reader, request: Request) -> Response:
    values = FILTERS.parse(request)
    handle, limit = values["handle"], values["limit"]
    wanted = AuthorFilter(
        handle=None if handle is None else handle.removeprefix("@"),
        platforms=tuple(sorted(set(values["platform"] or ()))),
        muted=values["muted"],
    )
    after = None
    if values["cursor"] is not None:
        after = decode_cursor(values["cursor"], tuple[str, int], _ORDER, values)
    rows = await repository.page_authors(db, principal.scope, wanted, after=after, limit=limit + 1)
    last = rows[limit - 1] if len(rows) > limit else None
    cursor = None if last is None else encode_cursor((last.handle, last.id), _ORDER, values)
    page = AuthorList(items=[person_out(row) for row in rows[:limit]], next_cursor=cursor)
    return answer(page, headers=next_link(request, cursor, request.app.state.public_url))


@router.get(
    "/authors/{author_id}",
    summary="One person: their history with us, signals, notes",
    responses={**answers(AuthorDetail, example=examples.AUTHOR), **problems(NotFound)},
)
async def get_author(principal: Seeing, db: Reader, now: Now, author_id: PathId) -> Response:
    found = await service.author_detail(db, principal.scope, author_id, now)
    return answer(found, headers={"ETag": etag(found.version)})


@router.patch(
    "/authors/{author_id}",
    summary="Mute or unmute a person, keep notes about them",
    openapi_extra={"requestBody": {"content": {"application/json": {"example": {"muted": True}}}}},
    responses={
        **answers(AuthorDetail, example=examples.AUTHOR, description="The person as they are now."),
        **problems(NotFound, VersionMismatch),
    },
)
async def update_author(
    principal: Triaging,
    tx: Writer,
    now: Now,
    request: Request,
    author_id: PathId,
    body: AuthorPatch,
) -> Response:
    await service.change_author(
        tx,
        principal.scope,
        author_id,
        muted=body.muted,
        notes=body.notes,
        actor=Actor("person", principal.name),
        now=now,
        versions=if_match(request).versions,
    )
    found = await service.author_detail(tx, principal.scope, author_id, now)
    return answer(found, headers={"ETag": etag(found.version)})


@router.delete(
    "/authors/{author_id}/data",
    summary="Erase a person: nothing of them stays, and nothing comes back",
    openapi_extra=DRY_RUN.openapi(),
    responses={
        **answers(ErasureOut, example=examples.ERASURE),
        **problems(NotFound, Conflict),
    },
)
async def erase_author(principal: ErasingPeople, request: Request, author_id: PathId) -> Response:
    if principal.scope.sources is not None:
        raise NotAllowed("A token that is limited to some sources can't erase a person everywhere.")
    dry = DRY_RUN.parse(request)["dry_run"]
    tell(dry_run=dry)
    erasing: Erasing = request.app.state.erasing
    if dry:
        tally = await erasing.dry_run(author_id)
    else:
        tally = await erasing.erase(author_id, Actor("person", principal.name))
    return answer(
        ErasureOut(
            dry_run=dry,
            items=tally.items,
            messages=tally.messages,
            texts=tally.texts,
            bodies=tally.bodies,
        )
    )
