"""Tables of the search: the words of each item, and the items whose words are still to be made.

On SQLite an FTS5 table beside `item_words` holds the index; triggers keep it, also when an item is
deleted with everything that hangs on it. On PostgreSQL `words` itself is a tsvector with a GIN
index.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    DDL,
    Boolean,
    Column,
    ColumnElement,
    Dialect,
    ForeignKey,
    Index,
    Table,
    Text,
    TypeDecorator,
    bindparam,
    event,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal

from app.db import metadata
from app.inbox.search.words import Phrase, Words

FTS: Final = (
    (
        "CREATE VIRTUAL TABLE item_search USING fts5("
        "words, content='item_words', content_rowid='item_id', columnsize=0, "
        "tokenize='ascii', prefix='2 3 4')"
    ),
    (
        "CREATE TRIGGER item_words_added AFTER INSERT ON item_words BEGIN "
        "INSERT INTO item_search(rowid, words) VALUES (new.item_id, new.words); END"
    ),
    (
        "CREATE TRIGGER item_words_gone AFTER DELETE ON item_words BEGIN "
        "INSERT INTO item_search(item_search, rowid, words) "
        "VALUES ('delete', old.item_id, old.words); END"
    ),
    (
        "CREATE TRIGGER item_words_changed AFTER UPDATE ON item_words BEGIN "
        "INSERT INTO item_search(item_search, rowid, words) "
        "VALUES ('delete', old.item_id, old.words); "
        "INSERT INTO item_search(rowid, words) VALUES (new.item_id, new.words); END"
    ),
)
"""The words are made by us and hold no ASCII but small letters and digits: the tokenizer `ascii`
parts them at blanks and changes nothing."""


class WordRow(TypeDecorator[Sequence[str]]):
    """Words in a row: text with a blank around each on SQLite, a tsvector with the place of each
    on PostgreSQL.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(TSVECTOR() if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if dialect.name != "postgresql":
            return f" {' '.join(value)} "
        places: defaultdict[str, list[str]] = defaultdict(list)
        for place, word in enumerate(value, 1):
            places[word].append(str(place))
        return " ".join(f"'{word}':{','.join(found)}" for word, found in places.items())

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return value if dialect.name == "postgresql" or value is None else value.split()


class WordQuery(TypeDecorator[Words]):
    """What is asked: an FTS5 expression on SQLite, a tsquery on PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(TSQUERY() if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Words | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return as_tsquery(value) if dialect.name == "postgresql" else as_fts5(value)


def as_fts5(words: Words) -> str:
    """An expression for MATCH; it needs a group, since FTS5 can't look for what is not there."""
    found = " AND ".join(f"({_fts5_either(group)})" for group in words.groups)
    return f"({found}) NOT ({_fts5_either(words.without)})" if words.without else found


def _fts5_either(phrases: Sequence[Phrase]) -> str:
    return " OR ".join(f'"{" ".join(p.words)}"{" *" if p.prefix else ""}' for p in phrases)


def as_tsquery(words: Words) -> str:
    """The same as text of a tsquery."""
    parts = [f"({_tsquery_either(group)})" for group in words.groups]
    if words.without:
        parts.append(f"!({_tsquery_either(words.without)})")
    return " & ".join(parts)


def _tsquery_either(phrases: Sequence[Phrase]) -> str:
    return " | ".join(f"({_tsquery_phrase(phrase)})" for phrase in phrases)


def _tsquery_phrase(phrase: Phrase) -> str:
    row = " <-> ".join(f"'{word}'" for word in phrase.words)
    return f"{row}:*" if phrase.prefix else row


item_words = Table(
    "item_words",
    metadata,
    Column("item_id", ForeignKey("item.id", ondelete="CASCADE"), primary_key=True),
    Column("words", WordRow, nullable=False),
    info={"copied": False},  # each kind of database has its own form
)
Index("ix_item_words", item_words.c.words, postgresql_using="gin").ddl_if(dialect="postgresql")

search_todo = Table(
    "search_todo",
    metadata,
    Column("item_id", ForeignKey("item.id", ondelete="CASCADE"), primary_key=True),
    info={"copied": False, "filled_from": "item"},  # a copy makes all words anew
)

for _statement in FTS:
    event.listen(item_words, "after_create", DDL(_statement).execute_if(dialect="sqlite"))  # type: ignore[no-untyped-call]  # theirs


class FoundByWords(ColumnElement[bool]):
    """Whether an id is among the items that hold `Words` with a group, by the index of words."""

    inherit_cache = True
    _traverse_internals = [  # noqa: RUF012  # theirs
        ("item_id", InternalTraversal.dp_clauseelement),
        ("asked", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, item_id: Any, name: str) -> None:
        self.item_id = item_id
        self.asked = bindparam(name, type_=WordQuery())
        self.type = Boolean()


@compiles(FoundByWords)
def _in_vectors(element: FoundByWords, compiler: SQLCompiler, **options: Any) -> str:
    key, asked = (compiler.process(e, **options) for e in (element.item_id, element.asked))
    return f"{key} IN (SELECT item_id FROM item_words WHERE words @@ {asked})"  # noqa: S608  # compiled parts


@compiles(FoundByWords, "sqlite")
def _in_fts(element: FoundByWords, compiler: SQLCompiler, **options: Any) -> str:
    key, asked = (compiler.process(e, **options) for e in (element.item_id, element.asked))
    return f"{key} IN (SELECT rowid FROM item_search WHERE item_search MATCH {asked})"  # noqa: S608  # the same
