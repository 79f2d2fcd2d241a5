"""What rules look like on the wire, in and out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, LiteralString, Self

import msgspec
from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Row

from app.clock import Stamp, stamp
from app.connectors.base import Kind
from app.inbox.item import DismissReason
from app.inbox.labels.spelling import tidy
from app.web.wire import WHOLE, Body, Flag, Id

WORDS_AT_MOST = 500
EVERY_WORD_AT_MOST = 2000
"""Words and phrases of one rule, all together."""
TRIED_AT_MOST = 500


class RuleOut(msgspec.Struct, kw_only=True):
    """A rule. `origin`: `team`, or `built_in` for what came with the program; `edited`: the team
    has changed that, and no later version of the program will. Rules are asked by `place`.
    """

    id: int
    name: str
    enabled: bool
    place: int
    origin: str
    edited: bool
    conditions: dict[str, Any]
    effect: dict[str, Any]
    created_at: Stamp
    updated_at: Stamp
    version: int


class RuleList(msgspec.Struct, kw_only=True):
    """Every rule, in the order in which they are asked."""

    items: list[RuleOut]
    next_cursor: str | None


class RuleTried(msgspec.Struct, kw_only=True):
    """What a rule matches. `text` says whether it matches the sample; null where none was given.
    Of the stored items `looked_at` were looked at, at most 500: where `more` is true, the filter
    matches others. `applied`: so many were changed; null where that was not asked for.
    """

    text: bool | None
    looked_at: int
    more: bool
    matched: int
    item_ids: list[int]
    applied: int | None


def _phrase(text: str) -> str:
    tidied = " ".join(text.split())
    if not tidied.strip("*"):
        raise PydanticCustomError("phrase", "write a word or a phrase")
    return tidied


def _host(text: str) -> str:
    host = text.strip().lower().removeprefix("www.")
    if not host or "/" in host or ":" in host or " " in host:
        raise PydanticCustomError("host", "write a host like shop.example, without https://")
    return host


def _label(text: str) -> str:
    try:
        return tidy(text)
    except ValueError as error:
        raise PydanticCustomError("label", "{reason}", {"reason": str(error)}) from error


Phrase = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_phrase)]
Host = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_host)]
Short = Annotated[str, Field(min_length=1, max_length=60)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Place = Annotated[int, Field(ge=0, le=1_000_000, strict=True), WHOLE]


class TextCondition(Body):
    """Holds where one of these words or phrases is found; `negated`: where none is. Words are
    compared without case, as whole words; `refund*` also finds what begins so.
    """

    any: Annotated[list[Phrase], Field(min_length=1, max_length=WORDS_AT_MOST)]
    where: Literal["anywhere", "sentence_start", "sentence_end"] = "anywhere"
    negated: Flag = False


class AuthorCondition(Body):
    """Everything that is given holds. What the platform does not tell, holds nothing."""

    handles: Annotated[list[Short], Field(max_length=WORDS_AT_MOST)] = Field(default_factory=list)
    younger_than_days: Annotated[int, Field(ge=1, le=36500, strict=True), WHOLE] | None = None
    followers_below: Annotated[int, Field(ge=1, le=2**53, strict=True), WHOLE] | None = None
    is_bot: Flag | None = None
    first_message: Flag | None = None
    signals: Annotated[list[Short], Field(max_length=20)] = Field(default_factory=list)


class LinkCondition(Body):
    """So many links, of these hosts and what lies below them; without `hosts` of any."""

    at_least: Annotated[int, Field(ge=1, le=100, strict=True), WHOLE] = 1
    hosts: Annotated[list[Host], Field(max_length=WORDS_AT_MOST)] = Field(default_factory=list)


class Conditions(Body):
    """All of them hold; of several `text` conditions one is enough with `text_match: any`."""

    text: Annotated[list[TextCondition], Field(max_length=20)] = Field(default_factory=list)
    text_match: Literal["all", "any"] = "all"
    links: LinkCondition | None = None
    author: AuthorCondition | None = None
    platforms: Annotated[list[Short], Field(max_length=50)] = Field(default_factory=list)
    source_ids: Annotated[list[Id], Field(max_length=WORDS_AT_MOST)] = Field(default_factory=list)
    kinds: Annotated[list[Kind], Field(max_length=20)] = Field(default_factory=list)
    languages: Annotated[list[Short], Field(max_length=50)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not any(v for v in self.model_dump(exclude={"text_match", "author"}).values()) and (
            self.author is None or not any(v not in (None, []) for v in dict(self.author).values())
        ):
            raise PydanticCustomError("no_condition", "say at least one condition")
        if sum(len(each.any) for each in self.text) > EVERY_WORD_AT_MOST:
            raise PydanticCustomError("too_many", "at most 2000 words and phrases in one rule")
        return self


class Effect(Body):
    """What a rule does. `signal` (needs `code`, `reason`): shows a signal with its reason and sorts
    it down in the order by value. `question` (needs `reason`): says that it asks something, and
    sorts it up. `label` (needs `labels`). `dismiss` (needs a `code` like `no_reply_needed`; with
    `other` also `reason`). `spam`.
    """

    kind: Literal["signal", "question", "label", "dismiss", "spam"]
    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")] | None = None
    reason: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    labels: (
        Annotated[
            list[Annotated[str, Field(min_length=1, max_length=50), AfterValidator(_label)]],
            Field(min_length=1, max_length=20),
        ]
        | None
    ) = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        needed, allowed = _PARTS_OF[self.kind]
        given = {name for name in ("code", "reason", "labels") if getattr(self, name) is not None}
        if missing := sorted(needed - given):
            raise _unfit("missing", f"the effect {self.kind} needs {' and '.join(missing)}")
        if extra := sorted(given - needed - allowed):
            raise _unfit("not_allowed", f"the effect {self.kind} takes no {' or '.join(extra)}")
        if self.kind == "signal" and self.code == "question":
            raise _unfit("reserved", "use the effect question for that")
        if self.kind == "dismiss":
            self._check_dismissal()
        return self

    def _check_dismissal(self) -> None:
        known = [str(reason) for reason in DismissReason]
        if self.code not in known:
            raise _unfit("invalid_value", f"the code of a dismissal is one of {', '.join(known)}")
        if self.code == DismissReason.OTHER and not (self.reason or "").strip():
            raise _unfit("missing", "say in reason why, when the code is other")


_PARTS_OF: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    # kind: what it needs, what it may have beside
    "signal": (frozenset({"code", "reason"}), frozenset()),
    "question": (frozenset({"reason"}), frozenset()),
    "label": (frozenset({"labels"}), frozenset()),
    "dismiss": (frozenset({"code"}), frozenset({"reason"})),
    "spam": (frozenset(), frozenset()),
}


def _unfit(code: LiteralString, reason: str) -> PydanticCustomError:
    return PydanticCustomError(code, "{reason}", {"reason": reason})


class RuleNew(Body):
    """A rule of the team; the lower its `place`, the earlier it is asked."""

    name: Name
    enabled: Flag = True
    place: Place = 100
    conditions: Conditions
    effect: Effect


class RulePatch(Body):
    """What may be changed; what is left out stays."""

    name: Name | None = None
    enabled: Flag | None = None
    place: Place | None = None
    conditions: Conditions | None = None
    effect: Effect | None = None


def columns_of(body: RuleNew | RulePatch) -> dict[str, Any]:
    """The columns that a body sets."""
    told = body.model_dump(mode="json", exclude_unset=isinstance(body, RulePatch))
    found = {name: value for name, value in told.items() if value is not None}
    if body.conditions is not None:
        found["conditions"] = body.conditions.model_dump(mode="json")
    if body.effect is not None:
        found["effect"] = body.effect.model_dump(mode="json", exclude_none=True)
    return found


def rule_out(row: Row[Any]) -> RuleOut:
    return RuleOut(
        id=row.id,
        name=row.name,
        enabled=row.enabled,
        place=row.place,
        origin="team" if row.key is None else "built_in",
        edited=row.edited_at is not None,
        conditions=row.conditions,
        effect=row.effect,
        created_at=stamp(row.created_at),
        updated_at=stamp(row.updated_at),
        version=row.version,
    )


NEW: dict[str, Any] = {
    "name": "Refunds",
    "conditions": {"text": [{"any": ["refund*", "money back"]}]},
    "effect": {"kind": "label", "labels": ["refund"]},
}
EXAMPLE = RuleOut(
    id=1,
    name="Refunds",
    enabled=True,
    place=100,
    origin="team",
    edited=False,
    conditions=NEW["conditions"],
    effect=NEW["effect"],
    created_at="2026-11-23T14:02:11.000Z",
    updated_at="2026-11-23T14:02:11.000Z",
    version=1,
)
LIST = RuleList(items=[EXAMPLE], next_cursor=None)
TRY: dict[str, Any] = {
    "rule": {"conditions": NEW["conditions"], "effect": NEW["effect"]},
    "text": "Refund, please!",
}
TRIED = RuleTried(text=True, looked_at=0, more=False, matched=0, item_ids=[], applied=None)
