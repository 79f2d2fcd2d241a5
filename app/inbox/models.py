"""Tables of the inbox: author, thread, item, reply, revision, raw bodies and the counters."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)

from app.db import Id, JsonType, UtcTime, metadata

OPEN = "status = 'unanswered' AND needs_reply AND NOT backlog"
"""The predicate of the default view. A query must carry it as literal text: with a bound status
PostgreSQL's generic plan reads the whole table."""


NEVER_DUE = 253_402_300_800_000_000
"""`due_rank` of what has no due time: the year 10000, after everything that has one. Ranks go up
with `occurred_at`, so that a page's place in an order is one row value.
"""


def _partial(name: str, *columns: Any, where: str) -> Index:
    predicate = text(where)
    return Index(name, *columns, sqlite_where=predicate, postgresql_where=predicate)


author = Table(
    "author",
    metadata,
    Column("id", Id, primary_key=True),
    Column("platform", String(40), nullable=False),
    Column("instance", String(255), nullable=False),
    Column("external_id", String(500), nullable=False),
    Column("handle", String(300), nullable=False),
    Column("display_name", String(300), nullable=False),
    Column("url", String(2000), nullable=False),
    Column("avatar_url", String(2000), nullable=False),
    Column("followers", BigInteger),
    Column("is_bot", Boolean, nullable=False, server_default=false()),
    Column("created_at", UtcTime),  # on the platform
    Column("signals", JsonType, nullable=False),  # [{code, reason}]
    Column("muted_at", UtcTime),
    Column("notes", Text),
    Column("first_seen_at", UtcTime, nullable=False),
    Column("erasing_at", UtcTime),  # an erasure is under way since then
    Column("version", Integer, nullable=False, server_default=text("1")),
    UniqueConstraint("platform", "instance", "external_id"),
    _partial("ix_author_erasing", "id", where="erasing_at IS NOT NULL"),
    Index("ix_author_handle", "handle", "id"),
    sqlite_autoincrement=True,
)

thread = Table(
    "thread",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source_id", ForeignKey("source.id", ondelete="CASCADE"), nullable=False),
    Column("external_id", String(500), nullable=False),
    Column("title", String(500), nullable=False),
    Column("permalink", String(2000), nullable=False),
    Column("started_at", UtcTime),
    Column("first_seen_at", UtcTime, nullable=False),
    UniqueConstraint("source_id", "external_id"),
    sqlite_autoincrement=True,
)

item = Table(
    "item",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source_id", ForeignKey("source.id", ondelete="CASCADE"), nullable=False),
    Column("external_id", String(500), nullable=False),
    Column("platform", String(40), nullable=False),
    Column("stream", String(60), nullable=False),
    Column("thread_id", ForeignKey("thread.id", ondelete="CASCADE"), nullable=False),
    Column("author_id", ForeignKey("author.id"), nullable=False),
    Column("parent_external_id", String(500)),
    Column("kind", String(20), nullable=False),
    Column("status", String(20), nullable=False),
    Column("status_before", String(20)),  # what `removed` and the platform's spam came from
    Column("needs_reply", Boolean, nullable=False, server_default=true()),
    Column("visibility", String(20), nullable=False),
    Column("backlog", Boolean, nullable=False, server_default=false()),
    Column("text", Text, nullable=False),
    Column("text_raw", Text, nullable=False),  # empty: as the text
    Column("text_format", String(20), nullable=False),
    Column("language", String(40), nullable=False),
    Column("permalink", String(2000), nullable=False),
    Column("media", JsonType, nullable=False),
    Column("signals", JsonType, nullable=False, server_default=text("'[]'")),  # by rules
    Column("occurred_at", UtcTime, nullable=False),
    Column("first_seen_at", UtcTime, nullable=False),
    Column("edited_at", UtcTime),
    Column("time_suspect", Boolean, nullable=False, server_default=false()),
    Column("due_at", UtcTime),
    Column("due_rank", BigInteger, nullable=False, server_default=text(str(NEVER_DUE))),
    Column("snoozed_until", UtcTime),
    Column("snoozed_at", UtcTime),  # when the present or latest snooze began
    Column("assignee_id", BigInteger),
    Column("claimed_by", BigInteger),
    Column("claimed_until", UtcTime),
    Column("possibly_answered", Boolean, nullable=False, server_default=false()),
    Column("edited_after_answer", Boolean, nullable=False, server_default=false()),
    Column("reply_unverified", Boolean, nullable=False, server_default=false()),
    Column("acknowledged_at", UtcTime),
    Column("community_replies", Integer, nullable=False, server_default=text("0")),
    Column("answer_evidence", String(20)),
    Column("answered_at", UtcTime),
    Column("answered_by", String(300)),
    Column("answer_reply_id", BigInteger),
    Column("reply_url", String(2000)),
    Column("declared_at", UtcTime),  # a person said so, even if stronger evidence came later
    Column("declared_by", String(300)),
    Column("native_at", UtcTime),  # the platform itself says that we answered then
    Column("native_url", String(2000)),
    Column("answers_since", UtcTime),  # reopened then: only later replies of ours answer
    Column("dismissed_reason", String(40)),
    Column("dismissed_note", Text),
    Column("note_count", Integer, nullable=False, server_default=text("0")),
    Column("value_score", Integer),
    Column("value_rank", Integer, nullable=False, server_default=text("0")),  # score, negated
    Column("value_reasons", JsonType),
    Column("filed", String(20)),  # where the platform itself has put it
    Column("person_acted", Boolean, nullable=False, server_default=false()),
    Column("absent_passes", Integer, nullable=False, server_default=text("0")),
    Column("absent_since", UtcTime),
    Column("shown_in_pass", UtcTime),  # when the last pass over several polls began that showed it
    # Complete passes that should have shown our declared answer, and did not.
    Column("unverified_passes", Integer, nullable=False, server_default=text("0")),
    Column("next_read_at", UtcTime),  # when it is read again for edits and deletion
    Column("reads", Integer, nullable=False, server_default=text("0")),
    Column("seen_hash", BigInteger, nullable=False),  # of everything the platform said
    # By then it must have been read again, or its text goes; and when it went.
    Column("keep_until", UtcTime),
    Column("wiped_at", UtcTime),
    Column("version", Integer, nullable=False, server_default=text("1")),
    UniqueConstraint("source_id", "external_id"),
    CheckConstraint(
        "status IN ('unanswered', 'replied', 'dismissed', 'spam', 'removed')", name="status"
    ),
    _partial("ix_item_open", "occurred_at", "id", where=OPEN),
    _partial("ix_item_open_source", "source_id", "occurred_at", "id", where=OPEN),
    _partial("ix_item_open_platform", "platform", "occurred_at", "id", where=OPEN),
    _partial(
        "ix_item_assigned",
        "assignee_id",
        "occurred_at",
        "id",
        where="status = 'unanswered' AND needs_reply AND assignee_id IS NOT NULL",
    ),
    _partial(
        "ix_item_open_unassigned", "occurred_at", "id", where=f"{OPEN} AND assignee_id IS NULL"
    ),
    _partial("ix_item_open_value", "value_rank", "occurred_at", "id", where=OPEN),
    _partial("ix_item_open_due", "due_rank", "occurred_at", "id", where=OPEN),
    _partial("ix_item_waiting", "occurred_at", "id", where="status = 'unanswered'"),
    _partial("ix_item_due", "due_at", "id", where="status = 'unanswered' AND due_at IS NOT NULL"),
    _partial("ix_item_snoozed", "snoozed_until", where="snoozed_until IS NOT NULL"),
    _partial("ix_item_answered", "answered_at", "id", where="answered_at IS NOT NULL"),
    _partial("ix_item_dismissed", "occurred_at", "id", where="status = 'dismissed'"),
    _partial("ix_item_spam", "occurred_at", "id", where="status = 'spam'"),
    _partial("ix_item_removed", "occurred_at", "id", where="status = 'removed'"),
    _partial("ix_item_reread", "source_id", "next_read_at", where="next_read_at IS NOT NULL"),
    _partial("ix_item_keep", "keep_until", "id", where="keep_until IS NOT NULL"),
    _partial("ix_item_to_wipe", "platform", "id", where="status = 'removed' AND wiped_at IS NULL"),
    Index("ix_item_history", "occurred_at", "id"),
    Index("ix_item_thread", "thread_id", "occurred_at", "id"),
    Index("ix_item_author", "author_id", "occurred_at", "id"),
    sqlite_autoincrement=True,
)

raw_body = Table(
    "raw_body",
    metadata,
    Column("item_id", ForeignKey("item.id", ondelete="CASCADE"), primary_key=True),
    Column("body", LargeBinary, nullable=False),  # zlib, at most 64 KiB of JSON
    Column("stored_at", UtcTime, nullable=False),
)

reply = Table(
    "reply",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source_id", ForeignKey("source.id", ondelete="CASCADE"), nullable=False),
    Column("external_id", String(500)),  # unknown until the platform told it
    Column("stream", String(60)),  # the one that listed it first
    Column("thread_id", ForeignKey("thread.id", ondelete="CASCADE"), nullable=False),
    Column("author_id", ForeignKey("author.id"), nullable=False),
    Column("parent_external_id", String(500)),
    Column("origin", String(20), nullable=False),  # seen, sent
    Column("automated", Boolean, nullable=False, server_default=false()),
    Column("addressed", JsonType, nullable=False),  # ids and handles it names
    Column("text", Text, nullable=False),
    Column("text_raw", Text, nullable=False),  # empty: as the text
    Column("text_format", String(20), nullable=False),
    Column("language", String(40), nullable=False),
    Column("permalink", String(2000), nullable=False),
    Column("visibility", String(20), nullable=False),
    Column("media", JsonType, nullable=False),
    Column("occurred_at", UtcTime, nullable=False),
    Column("first_seen_at", UtcTime, nullable=False),
    Column("edited_at", UtcTime),
    Column("removed_at", UtcTime),
    Column("absent_passes", Integer, nullable=False, server_default=text("0")),
    Column("absent_since", UtcTime),
    Column("shown_in_pass", UtcTime),  # when the last pass over several polls began that showed it
    Column("time_suspect", Boolean, nullable=False, server_default=false()),
    Column("seen_hash", BigInteger, nullable=False),
    Column("keep_until", UtcTime),  # as of an item
    Column("wiped_at", UtcTime),
    UniqueConstraint("source_id", "external_id"),
    _partial("ix_reply_keep", "keep_until", "id", where="keep_until IS NOT NULL"),
    _partial(
        "ix_reply_to_wipe", "source_id", "id", where="removed_at IS NOT NULL AND wiped_at IS NULL"
    ),
    Index("ix_reply_thread", "thread_id", "occurred_at", "id"),
    Index("ix_reply_author", "author_id"),
    sqlite_autoincrement=True,
)

revision = Table(
    "revision",
    metadata,
    Column("id", Id, primary_key=True),
    Column("item_id", ForeignKey("item.id", ondelete="CASCADE"), nullable=False),
    Column("text", Text, nullable=False),  # as it was before the edit
    Column("text_raw", Text, nullable=False),  # empty: as the text
    Column("edited_at", UtcTime),
    Column("replaced_at", UtcTime, nullable=False),  # when we saw the next one
    Index("ix_revision_item", "item_id", "id"),
)

policy = Table(
    "policy",
    metadata,
    # How soon we answer: who writes to the source, or with the label, waits at most `target`.
    Column("id", Id, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("source_id", ForeignKey("source.id", ondelete="CASCADE")),
    Column("label", String(100)),
    Column("kinds", JsonType, nullable=False),  # empty: all
    Column("target", BigInteger, nullable=False),  # seconds of business time
    Column("calendar", JsonType),  # {time_zone, week, holidays}; null: around the clock
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    UniqueConstraint("name"),
    sqlite_autoincrement=True,
)

erased = Table(
    "erased",
    metadata,
    # Who was erased, and the ids that named them: keyed hashes, so that nobody comes back.
    Column("digest", String(64), primary_key=True),
    Column("at", UtcTime, nullable=False),
)

count_status = Table(
    "count_status",
    metadata,
    Column("source_id", ForeignKey("source.id", ondelete="CASCADE"), primary_key=True),
    Column("status", String(20), primary_key=True),
    Column("needs_reply", Boolean, primary_key=True),
    Column("backlog", Boolean, primary_key=True),
    Column("direct", Boolean, primary_key=True),
    Column("total", BigInteger, nullable=False),
)

count_hour = Table(
    "count_hour",
    metadata,
    # The unanswered by the hour they came in, for exact age buckets without counting rows.
    Column("hour", BigInteger, primary_key=True, autoincrement=False),  # hours since 1970
    Column("source_id", ForeignKey("source.id", ondelete="CASCADE"), primary_key=True),
    Column("direct", Boolean, primary_key=True),
    Column("total", BigInteger, nullable=False),
)

count_assignee = Table(
    "count_assignee",
    metadata,
    # The unanswered that somebody was given: a rule may give him a hundred thousand.
    Column("assignee_id", BigInteger, primary_key=True, autoincrement=False),
    Column("source_id", ForeignKey("source.id", ondelete="CASCADE"), primary_key=True),
    Column("direct", Boolean, primary_key=True),
    Column("total", BigInteger, nullable=False),
)
