"""The query parameters of lists, and the filter they say."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from app.connectors.base import Kind
from app.db import Reader
from app.errors import FieldError, InvalidRequest
from app.inbox.assigning import assignee_asked
from app.inbox.filtering import BY_RANK, ItemFilter
from app.inbox.item import Status
from app.inbox.labels.spelling import NAME_AT_MOST, key_of, tidy
from app.inbox.search import asking
from app.inbox.search.keys import Assignee
from app.inbox.search.language import MAX_QUERY, Mistake, Value
from app.sources.repository import page_sources
from app.web.auth import Principal
from app.web.paging import CURSOR, LIMIT
from app.web.params import BOOLEAN, DURATION, ID, TIME, Param, Params, one_of, text
from app.web.params import Kind as ParamKind
from app.web.problems import invalid_request

_TERNARY = one_of(("exclude", "include", "only"))
_STATUS = one_of((*Status, "any"))
_YES_NO_ANY = ParamKind(
    lambda given: None if given == "any" else BOOLEAN.parse(given),
    {"type": "string", "enum": ["true", "false", "any"]},
)
LABEL = ParamKind(lambda given: key_of(tidy(given)), text(NAME_AT_MOST).schema)
"""The name of a label, without regard to case."""
FILTERS = Params(
    (
        Param("status", _STATUS, "Repeatable; `any` for all.", many=True, default=("unanswered",)),
        Param("platform", text(40), "Only these platforms. Repeatable.", many=True),
        Param("source_id", ID, "Only these sources. Repeatable.", many=True),
        Param("kind", one_of(Kind), "Only these kinds. Repeatable.", many=True),
        Param("q", text(MAX_QUERY), "Words and filters as in the search box: docs/search.md."),
        Param("author_id", ID, "Only what this author wrote."),
        Param("label", LABEL, "Carries this label. Repeatable: all of them.", many=True),
        Param("assignee", text(60), "Whose: `me`, `none`, or a person's id or name."),
        Param("older_than", DURATION, "At least so old, like PT4H."),
        Param("younger_than", DURATION, "Younger than that, like P7D."),
        Param("occurred_after", TIME, "Written after this moment."),
        Param("occurred_before", TIME, "Written before this moment."),
        Param("snoozed", _TERNARY, "Items that are asleep.", default="exclude"),
        Param("backlog", _TERNARY, "What was old when connected.", default="exclude"),
        Param(
            "needs_reply",
            _YES_NO_ANY,
            "Not given: `true` while `status` is `unanswered` alone, else `any`.",
        ),
        Param("overdue", BOOLEAN, "Waiting past their due time, or all others."),
        Param(
            "order",
            one_of(("oldest", "newest", "due", "value")),
            "By platform time; `due` and `value` for the unanswered alone.",
            default="oldest",
        ),
        LIMIT,
        CURSOR,
    )
)

NARROWING = Params([param for param in FILTERS.params if param.name not in {"limit", "cursor"}])
"""What may stand in a filter that is sent in a body or kept: everything but the paging."""

FilterValue = str | bool | int
FilterBody = Annotated[
    dict[str, FilterValue | list[FilterValue]],
    Field(
        json_schema_extra={
            "propertyNames": {"enum": sorted(param.name for param in NARROWING.params)}
        }
    ),
]


def pairs_of(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A filter from a body as the query parameters that say the same."""
    return [
        (name, _as_text(value))
        for name, values in given.items()
        for value in (values if isinstance(values, list) else [values])
    ]


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


async def parse_filter(
    reader: Reader, principal: Principal, given: Mapping[str, Any], now: datetime
) -> ItemFilter:
    """The filter of a body's `filter`; 422 that points at what is wrong with it."""
    try:
        values = NARROWING.parse_pairs(pairs_of(given))
        assignee = None
        if (asked := values["assignee"]) is not None:
            assignee = await assignee_asked(reader, principal.scope, principal.user_id, asked)
        names = frozenset(given)
        wanted = read_filter(values, names, now, assignee)
        return await ask(reader, principal, wanted, values["q"], given=names, now=now)
    except InvalidRequest as refusal:
        errors = [
            replace(error, pointer=f"/filter/{error.pointer.removeprefix('?')}")
            for error in refusal.errors
        ]
        raise invalid_request(errors) from None


def read_filter(
    values: dict[str, Any],
    given: frozenset[str],
    now: datetime,
    assignee: int | Literal["none"] | None = None,
) -> ItemFilter:
    """The filter of parsed parameters. `given` are the names that the caller really sent,
    `assignee` whom `values["assignee"]` means (`assigning.assignee_asked`).
    """
    statuses: tuple[str, ...] = tuple(dict.fromkeys(values["status"]))
    if "any" in statuses:
        statuses = ()
    waiting = statuses == ("unanswered",)
    needs_reply = values["needs_reply"] if "needs_reply" in given else (True if waiting else None)
    after = [values["occurred_after"]]
    before = [values["occurred_before"]]
    if values["younger_than"] is not None:
        after.append(now - values["younger_than"])
    if values["older_than"] is not None:
        before.append(now - values["older_than"])
    return ItemFilter(
        statuses=statuses,
        platforms=tuple(sorted(set(values["platform"] or ()))),
        source_ids=tuple(sorted(set(values["source_id"] or ()))),
        kinds=tuple(sorted(set(values["kind"] or ()))),
        author_id=values["author_id"],
        labels=tuple(sorted(set(values["label"] or ()))),
        assignee=assignee,
        occurred_after=max((at for at in after if at is not None), default=None),
        occurred_before=min((at for at in before if at is not None), default=None),
        snoozed=values["snoozed"],
        backlog=values["backlog"],
        needs_reply=needs_reply,
        overdue=values["overdue"],
        order=values["order"],
    )


async def wanted_items(
    reader: Reader,
    principal: Principal,
    values: dict[str, Any],
    given: frozenset[str],
    now: datetime,
) -> tuple[ItemFilter, int | Literal["none"] | None]:
    """The filter that a caller's parameters mean, and whom `assignee` means for this caller."""
    asked, assignee = values["assignee"], None
    if asked is not None:
        assignee = await assignee_asked(reader, principal.scope, principal.user_id, asked)
    wanted = read_filter(values, given, now, assignee)
    wanted = await ask(reader, principal, wanted, values["q"], given=given, now=now)
    refuse_unranked(wanted)
    return wanted, assignee


def refuse_unranked(wanted: ItemFilter) -> None:
    """Orders by rank are for the unanswered: for anything else no due time and value is kept."""
    if wanted.order in BY_RANK and wanted.statuses != ("unanswered",):
        detail = f"The order `{wanted.order}` is for status=unanswered alone."
        raise InvalidRequest(detail, errors=[FieldError("?order", "invalid_value", detail)])


async def ask(
    reader: Reader,
    principal: Principal,
    wanted: ItemFilter,
    q: str | None,
    *,
    given: Collection[str],
    now: datetime,
) -> ItemFilter:
    """The filter narrowed by a query of the search box. Raises 422 at `?q` with the place."""
    if q is None:
        return wanted
    try:
        query = asking.read_query(q)
        scope = principal.scope
        sources = await page_sources(reader, scope) if asking.needs_sources(query) else ()
        people = {v.text: await _person(reader, principal, v) for v in asking.assignees_of(query)}
        return asking.narrow(wanted, query, given=given, now=now, sources=sources, assignees=people)
    except Mistake as mistake:
        place = (mistake.offset, mistake.length)
        error = FieldError("?q", mistake.code, mistake.sentence, place)
        raise invalid_request([error]) from None


async def _person(reader: Reader, principal: Principal, asked: Value) -> Assignee:
    try:
        return await assignee_asked(reader, principal.scope, principal.user_id, asked.text)
    except InvalidRequest as refusal:
        raise Mistake("bad_value", refusal.detail, asked.offset, asked.length) from None
