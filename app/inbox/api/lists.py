"""Reading the inbox: lists, one item, its conversation and history, counts."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from app.clock import stamp
from app.errors import NotFound
from app.inbox import counting, examples, reading
from app.inbox.api.filters import FILTERS, wanted_items
from app.inbox.conversations import Place
from app.inbox.count_schemas import Counts
from app.inbox.item import Status
from app.inbox.kept_lists import KeptLists
from app.inbox.lasting import counts_hold_until, list_holds_until
from app.inbox.listing import Position, shown_rows
from app.inbox.schemas import ItemDetail, ItemList, ItemOut, ThreadOut
from app.inbox.search.finding import read_page
from app.inbox.search.repository import count_waiting
from app.inbox.search.schemas import SearchState
from app.outbox.schemas import EventList
from app.sources.coverage import Coverage
from app.web.answers import answer, answers
from app.web.auth import Permission, Principal, needs
from app.web.conditional import etag
from app.web.deps import Now, Reader, now_of, reader_of
from app.web.kept import Made
from app.web.openapi import problems
from app.web.paging import CURSOR, decode_cursor, encode_cursor, next_link
from app.web.params import Param, Params, PathId, whole
from app.web.routes import Routes

router = Routes(tags=["inbox"])
WIRE = (ItemList, ItemDetail, ItemOut, ThreadOut, EventList, Counts)

PAGES = Params(
    (
        Param(
            "limit",
            whole(1, reading.MESSAGES_SHOWN),
            "How many messages at most.",
            default=reading.MESSAGES_SHOWN,
        ),
        CURSOR,
    )
)

Seeing = Annotated[Principal, Depends(needs(Permission.READ))]


@router.get(
    "/items",
    summary="Who is waiting: a page of items, oldest first",
    openapi_extra=FILTERS.openapi(),
    responses=answers(ItemList, example=examples.ITEM_LIST),
)
async def list_items(principal: Seeing, request: Request) -> Response:
    db, now = reader_of(request), now_of(request)
    values = FILTERS.parse(request)
    given = frozenset(request.query_params.keys())
    wanted, assignee = await wanted_items(db, principal, values, given, now)
    # Not given is not the same as `any`, and `me` not the same for everybody.
    bound = values | {"needs_reply": wanted.needs_reply, "assignee": assignee}
    after = None
    if values["cursor"] is not None:
        kind = tuple[datetime, int, int | None]
        after = Position(*decode_cursor(values["cursor"], kind, wanted.order, bound))
    state, scope = request.app.state, principal.scope
    lists: KeptLists = state.lists
    coverage: Coverage = await state.coverage.block(scope)

    async def make(mark: Hashable | None) -> Made:
        # Before the page is read, as the mark was.
        wakes_at = now if mark is None else await lists.wakings.after(mark, now)
        found = await read_page(db, scope, wanted, now=now, after=after, limit=values["limit"])
        last, rows = found.next, shown_rows(found.rows)
        cursor = None if last is None else encode_cursor(last.key, wanted.order, bound)
        page = ItemList(
            items=cast("list[ItemOut]", lists.items.page(rows, now)),  # encoded already
            next_cursor=cursor,
            as_of=stamp(now),
            coverage=coverage,
            search=None if wanted.words is None else SearchState.of(await count_waiting(db)),
        )
        return Made(
            page,
            until=list_holds_until(rows, wanted, now, wakes_at),
            since=[row.occurred_at for row in rows if row.status == Status.UNANSWERED],
            headers=next_link(request, cursor, state.public_url),
        )

    return await lists.answers.answer(
        request, (scope, wanted), make, beside=(coverage.complete, coverage.streams), now=now
    )


@router.get(
    "/items/{item_id}",
    summary="One item with its replies, earlier texts and raw body",
    responses={**answers(ItemDetail, example=examples.ITEM_DETAIL), **problems(NotFound)},
)
async def get_item(principal: Seeing, db: Reader, now: Now, item_id: PathId) -> Response:
    detail = await reading.item_detail(db, principal.scope, item_id, now)
    return answer(detail, headers={"ETag": etag(detail.version)})


@router.get(
    "/items/{item_id}/thread",
    summary="The conversation an item belongs to, in platform order",
    openapi_extra=PAGES.openapi(),
    responses={**answers(ThreadOut, example=examples.THREAD), **problems(NotFound)},
)
async def get_item_thread(
    principal: Seeing, db: Reader, now: Now, request: Request, item_id: PathId
) -> Response:
    values = PAGES.parse(request)
    bound = {"item_id": item_id}
    after = None
    if values["cursor"] is not None:
        place = decode_cursor(values["cursor"], tuple[datetime, bool, int], "thread", bound)
        after = Place(*place)
    page, end = await reading.thread_of(
        db, principal.scope, item_id, now, after=after, limit=values["limit"]
    )
    if end is not None:
        page.next_cursor = encode_cursor((end.at, end.is_reply, end.id), "thread", bound)
    headers = next_link(request, page.next_cursor, request.app.state.public_url)
    return answer(page, headers=headers)


@router.get(
    "/items/{item_id}/events",
    summary="Everything that happened to an item",
    responses={**answers(EventList, example=examples.EVENTS), **problems(NotFound)},
)
async def list_item_events(principal: Seeing, db: Reader, item_id: PathId) -> Response:
    return answer(await reading.history_of(db, principal.scope, item_id))


@router.get(
    "/counts",
    summary="How many wait, for how long, and where; exact",
    responses=answers(Counts, example=examples.COUNTS),
)
async def get_counts(principal: Seeing, request: Request) -> Response:
    db, now = reader_of(request), now_of(request)
    state, scope = request.app.state, principal.scope
    lists: KeptLists = state.lists
    coverage: Coverage = await state.coverage.block(scope)

    async def make(mark: Hashable | None) -> Made:
        until = now if mark is None else await counts_hold_until(db, scope, now)
        return Made(await counting.read_counts(db, scope, now, coverage), until=until)

    return await lists.answers.answer(
        request, scope, make, beside=(coverage.complete, coverage.streams), now=now
    )
