"""The query parameters of lists, and the filter they say."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.connectors.base import Kind
from app.inbox.filtering import ItemFilter
from app.inbox.item import Status
from app.web.paging import CURSOR, LIMIT
from app.web.params import BOOLEAN, DURATION, ID, TIME, Param, Params, one_of, text
from app.web.params import Kind as ParamKind

_TERNARY = one_of(("exclude", "include", "only"))
_STATUS = one_of((*Status, "any"))
_YES_NO_ANY = ParamKind(
    lambda given: None if given == "any" else BOOLEAN.parse(given),
    {"type": "string", "enum": ["true", "false", "any"]},
)
FILTERS = Params(
    (
        Param("status", _STATUS, "Repeatable; `any` for all.", many=True, default=("unanswered",)),
        Param("platform", text(40), "Only these platforms. Repeatable.", many=True),
        Param("source_id", ID, "Only these sources. Repeatable.", many=True),
        Param("kind", one_of(Kind), "Only these kinds. Repeatable.", many=True),
        Param("author_id", ID, "Only what this author wrote."),
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
        Param("order", one_of(("oldest", "newest")), "By platform time.", default="oldest"),
        LIMIT,
        CURSOR,
    )
)


def read_filter(values: dict[str, Any], given: frozenset[str], now: datetime) -> ItemFilter:
    """The filter of parsed parameters. `given` are the names that the caller really sent."""
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
        occurred_after=max((at for at in after if at is not None), default=None),
        occurred_before=min((at for at in before if at is not None), default=None),
        snoozed=values["snoozed"],
        backlog=values["backlog"],
        needs_reply=needs_reply,
        order=values["order"],
    )
