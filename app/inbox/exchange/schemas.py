"""What a line of an export is, and what an import answers."""

from __future__ import annotations

from typing import Annotated

import msgspec

from app.clock import Stamp
from app.inbox.schemas import ItemOut

Text = Annotated[str, msgspec.Meta(max_length=500_000)]


class ThreadLine(msgspec.Struct, kw_only=True):
    """The conversation of an item; `external_id` is that of its root."""

    external_id: str
    title: str = ""
    permalink: str = ""
    started_at: str | None = None


class WriterLine(msgspec.Struct, kw_only=True):
    """Who wrote something, as the platform names them. `instance` tells apart equal ids of
    different servers.
    """

    external_id: str
    instance: str = ""
    handle: str = ""
    display_name: str = ""
    url: str = ""
    avatar_url: str = ""
    followers: int | None = None
    is_bot: bool = False


class ReplyLine(msgspec.Struct, kw_only=True):
    """A message of ours below an item, or the one that answered it (`answers`)."""

    external_id: str
    answers: bool
    writer: WriterLine
    text: Text
    text_raw: Text = ""
    text_format: str = "plain"
    language: str = ""
    permalink: str = ""
    visibility: str = "public"
    parent_external_id: str | None = None
    automated: bool = False
    occurred_at: str


class ItemLine(ItemOut, kw_only=True):
    """One line of an export: the item as `GET /items` shows it, and what an import needs beside."""

    writer: WriterLine
    thread: ThreadLine
    dismissed_note: str | None
    replies: list[ReplyLine]


class EndLine(msgspec.Struct, kw_only=True):
    """The last line: a file without it was cut off."""

    end: bool
    items: int
    exported_at: Stamp


class AnswerTaken(msgspec.Struct, kw_only=True):
    evidence: str = "declared"
    answered_at: str | None = None
    answered_by: str | None = None
    reply_url: str | None = None


class ItemTaken(msgspec.Struct, kw_only=True):
    """What an import reads of a line; members it does not know are left alone."""

    platform: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    source_name: str = ""
    stream: Annotated[str, msgspec.Meta(max_length=60)] = "import"
    kind: str
    status: str = "unanswered"
    needs_reply: bool = True
    visibility: str = "public"
    held: bool = False
    text: Text = ""
    text_raw: Text = ""
    text_format: str = "plain"
    language: str = ""
    permalink: str = ""
    external_id: str
    parent_external_id: str | None = None
    occurred_at: str
    first_seen_at: str | None = None
    edited_at: str | None = None
    snoozed_until: str | None = None
    backlog: bool = False
    possibly_answered: bool = False
    edited_after_answer: bool = False
    acknowledged_at: str | None = None
    community_replies: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 0
    answer: AnswerTaken | None = None
    dismissed_reason: str | None = None
    dismissed_note: Annotated[str, msgspec.Meta(max_length=4000)] | None = None
    media: list[dict[str, str]] = []
    labels: Annotated[list[str], msgspec.Meta(max_length=100)] = []
    writer: WriterLine
    thread: ThreadLine
    replies: Annotated[list[ReplyLine], msgspec.Meta(max_length=500)] = []


class LineError(msgspec.Struct, kw_only=True):
    """Why a line was not taken. `code`: malformed, no_source, not_visible,
    ours, erased, invalid.
    """

    code: str
    detail: str


class LineResult(msgspec.Struct, kw_only=True):
    """What became of one line: `new`, `known` (nothing was changed) or `failed`."""

    line: int
    result: str
    id: int | None
    error: LineError | None


class Imported(msgspec.Struct, kw_only=True):
    """What an import did, line by line. `complete`: the end line of an export was there and its
    number of items fits; null: there was none, as in a part of a file.
    """

    new: int
    known: int
    failed: int
    complete: bool | None
    results: list[LineResult]
