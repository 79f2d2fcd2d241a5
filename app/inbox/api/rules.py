"""Routes of rules: what a team wants done with messages of some kind."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import Depends
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.responses import Response

from app.db import Reader as Reads
from app.errors import Conflict, NotFound, VersionMismatch
from app.inbox import listing
from app.inbox.api.filters import FilterBody, parse_filter
from app.inbox.rules import repository, schemas, service
from app.inbox.rules.matching import Rule, Said, Subject, ready
from app.inbox.rules.schemas import (
    TRIED_AT_MOST,
    Conditions,
    Effect,
    RuleList,
    RuleNew,
    RuleOut,
    RulePatch,
    RuleTried,
    rule_out,
)
from app.outbox.events import acting
from app.team.audit.entry import tell
from app.team.reach import check_reaches_all
from app.web.answers import answer, answers
from app.web.auth import Permission, Principal, needs
from app.web.conditional import etag, if_match
from app.web.deps import Now, Reader, Writer
from app.web.openapi import problems
from app.web.params import PathId
from app.web.routes import Routes
from app.web.wire import Body, Flag, Id

router = Routes(tags=["rules"])
WIRE = (RuleList, RuleOut, RuleTried)

Seeing = Annotated[Principal, Depends(needs(Permission.READ))]
Managing = Annotated[Principal, Depends(needs(Permission.MANAGE_POLICIES))]


_REACH = "Rules look at what arrives from every source"


def _shown(example: Any) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"example": example}}}}


class RuleDraft(Body):
    """A rule that is not stored yet."""

    conditions: Conditions
    effect: Effect


class RuleTry(Body):
    """A rule, by its id or as it would be, and what to try it on: a sample `text`, stored items by
    `item_ids`, or those of a `filter` with the parameters of `GET /items`. With `apply` a stored
    rule is also applied to those items, as one action that can be undone.
    """

    rule_id: Id | None = None
    rule: RuleDraft | None = None
    text: Annotated[str, Field(max_length=10_000)] | None = None
    item_ids: Annotated[list[Id], Field(max_length=TRIED_AT_MOST)] | None = None
    filter: FilterBody | None = None
    apply: Flag = False

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.rule_id is None) == (self.rule is None):
            raise PydanticCustomError("one_rule", "give either `rule_id` or `rule`")
        if self.item_ids is not None and self.filter is not None:
            raise PydanticCustomError("one_choice", "give either `item_ids` or `filter`")
        if self.text is None and self.item_ids is None and self.filter is None:
            raise PydanticCustomError("nothing", "give `text`, `item_ids` or `filter`")
        return self


@router.get(
    "/rules", summary="The rules, in their order", responses=answers(RuleList, example=schemas.LIST)
)
async def list_rules(principal: Seeing, db: Reader) -> Response:  # noqa: ARG001  # the gate
    rows = await repository.every(db)
    return answer(RuleList(items=[rule_out(row) for row in rows], next_cursor=None))


@router.post(
    "/rules",
    status_code=201,
    summary="Make a rule; it looks at what arrives from now on",
    openapi_extra=_shown(schemas.NEW),
    responses={
        **answers(RuleOut, example=schemas.EXAMPLE, status=201),
        **problems(Conflict),
    },
)
async def create_rule(principal: Managing, tx: Writer, now: Now, body: RuleNew) -> Response:
    check_reaches_all(principal.scope, _REACH)
    row = await service.add_rule(tx, body, acting(principal), now)
    headers = {"Location": f"/api/v1/rules/{row.id}", "ETag": etag(row.version)}
    return answer(rule_out(row), status=201, headers=headers)


@router.post(
    "/rules/test",
    summary="Try a rule on a text or on stored items, and apply it if wanted",
    openapi_extra=_shown(schemas.TRY),
    responses={**answers(RuleTried, example=schemas.TRIED), **problems(NotFound)},
)
async def test_rule(principal: Managing, tx: Writer, now: Now, body: RuleTry) -> Response:
    tell(applied=body.apply)
    if body.apply and body.rule_id is None:
        raise service.unapplied()
    rule = await _rule(tx, body)
    text = None if body.text is None else rule.matches(_sample(body.text, now))
    ids, more = await _chosen(tx, principal, body, now)
    tried = await service.try_rule(tx, principal.scope, rule, ids)
    applied = None
    if body.apply:
        applied = await service.apply_rule(
            tx, principal.scope, rule, ids, actor=acting(principal), now=now
        )
    return answer(
        RuleTried(
            text=text,
            looked_at=tried.looked_at,
            more=more,
            matched=len(tried.matched),
            item_ids=list(tried.matched),
            applied=applied,
        )
    )


async def _rule(reader: Reads, body: RuleTry) -> Rule:
    if body.rule_id is not None:
        return service.compiled(await service.get_rule(reader, body.rule_id))
    assert body.rule is not None
    said = body.rule.model_dump(mode="json")
    return ready(0, "", said["conditions"], said["effect"])


def _sample(text: str, now: datetime) -> Subject:
    """A text by nobody, from nowhere: rules about its author or platform don't match it."""
    return Subject(Said(text), now, platform="", source_id=0, kind="comment")


async def _chosen(
    reader: Reads, principal: Principal, body: RuleTry, now: datetime
) -> tuple[list[int], bool]:
    """The items to try it on, and whether there are more that match the filter."""
    if body.filter is None:
        return list(dict.fromkeys(body.item_ids or ())), False
    wanted = await parse_filter(reader, principal, body.filter, now)
    ids = await listing.matching_ids(
        reader, principal.scope, wanted, now=now, limit=TRIED_AT_MOST + 1
    )
    return ids[:TRIED_AT_MOST], len(ids) > TRIED_AT_MOST


@router.get(
    "/rules/{rule_id}",
    summary="One rule",
    responses={**answers(RuleOut, example=schemas.EXAMPLE), **problems(NotFound)},
)
async def get_rule(principal: Seeing, db: Reader, rule_id: PathId) -> Response:  # noqa: ARG001  # the gate
    row = await service.get_rule(db, rule_id)
    return answer(rule_out(row), headers={"ETag": etag(row.version)})


@router.patch(
    "/rules/{rule_id}",
    summary="Change a rule, switch it on or off",
    openapi_extra=_shown({"enabled": False}),
    responses={
        **answers(RuleOut, example=schemas.EXAMPLE),
        **problems(NotFound, VersionMismatch),
    },
)
async def update_rule(
    principal: Managing, tx: Writer, now: Now, request: Request, rule_id: PathId, body: RulePatch
) -> Response:
    check_reaches_all(principal.scope, _REACH)
    row = await service.change_rule(
        tx, rule_id, body, actor=acting(principal), now=now, versions=if_match(request).versions
    )
    return answer(rule_out(row), headers={"ETag": etag(row.version)})


@router.delete(
    "/rules/{rule_id}",
    status_code=204,
    summary="Take a rule of the team away; what it did stays, and can be undone",
    responses=problems(NotFound, Conflict, VersionMismatch),
)
async def delete_rule(
    principal: Managing, tx: Writer, now: Now, request: Request, rule_id: PathId
) -> Response:
    check_reaches_all(principal.scope, _REACH)
    await service.remove_rule(
        tx, rule_id, actor=acting(principal), now=now, versions=if_match(request).versions
    )
    return Response(status_code=204)
