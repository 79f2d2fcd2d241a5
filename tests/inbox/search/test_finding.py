"""What is found: the same on both databases, in many scripts, as soon as it is stored."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import replace
from shutil import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from app.connectors.base import ThreadRef
from app.db import Database, open_database
from app.inbox.filtering import ItemFilter
from app.inbox.models import item, thread
from app.inbox.search import repository
from app.inbox.search.asking import narrow, read_query
from app.inbox.search.finding import USUAL, Effort, read_page
from app.inbox.search.indexing import catch_up
from app.inbox.search.language import Mistake
from app.inbox.search.models import item_words
from app.inbox.search.words import Phrase, Words
from app.scope import EVERYTHING
from app.sources.models import source
from tests.inbox.pages import Inbox, add_source, person, said
from tests.inbox.search.rows import ANY, fits, found, keys, texts
from tests.postgres import create_database, drop_database
from tests.service import NOON

ALONG = Effort(rare=-1, window=3, windows=2)
TEXTS = {
    "a": "Where is my refund? I ordered two weeks ago.",
    "b": "Refund order 1234 please, see https://Shop.example/o/1234?utm=x",
    "c": "Wann kommt die Rückerstattung für die Straße 5?",
    "d": "什么时候可以退款\uff1f",
    "e": "カスタマーサポートはどこですか",
    "f": "환불이 언제 되나요",
    "g": "ขอคืนเงินหน่อยครับ",
    "h": "أين طلبي يا جماعة؟",
    "i": "Ευχαριστώ πολύ ❤️ 🇩🇪",
    "j": "order my refund never",
}
CASES = {
    "refund": "abj",
    "REFUND": "abj",
    '"refund order"': "b",
    "refund order": "bj",
    "refun*": "abj",
    "refund -order": "a",
    "refund NOT order": "a",
    "rückerstattung OR ευχαριστω": "ci",
    "ruckerstattung | 退款": "cd",
    "strasse": "c",
    "退款": "d",
    "退": "d",
    "款": "d",
    "サポート": "e",
    "환불": "f",
    "คืนเงิน": "g",
    "أين": "h",
    "❤": "i",
    "🇩🇪": "i",
    "shop.example": "b",
    "https://shop.example/o/1234": "b",
    "1234": "b",
    "@ann": "abcdefghij",
    "ann@here": "abcdefghij",
    "author:ann": "abcdefghij",
    "author:@ann@here": "abcdefghij",
    "author:an": "",
    "has:question -has:link": "acdh",
    "nowhere": "",
    "refund nowhere": "",
    "-refund": "cdefghi",
    "(refund) (never)": "j",
}


@pytest.fixture
async def inbox(db: Database) -> Inbox:
    made = Inbox(db, await add_source(db))
    await made.take(*(said(k, n, text=t) for n, (k, t) in enumerate(TEXTS.items())))
    return made


@pytest.mark.parametrize("effort", [USUAL, ALONG])
async def test_a_table_of_queries(inbox: Inbox, effort: Effort) -> None:
    """Found by the words and along the list."""
    for q, expected in CASES.items():
        assert "".join(await keys(inbox.db, q, effort=effort)) == expected, q


async def test_an_edit_a_new_name_and_a_new_title_are_found_at_once(inbox: Inbox) -> None:
    await inbox.take(said("a", 0, text="Now about shipping", edited_at=NOON))
    assert await keys(inbox.db, "shipping") == ["a"]
    assert await keys(inbox.db, "refund weeks") == []
    assert await keys(inbox.db, "zoë") == []
    named = person("bob")
    renamed = replace(named, handle="zoe@there", display_name="Zoë Ünal")
    await inbox.take(said("k", 20, person=named, text="k"), said("l", 21, person=named, text="l"))
    await inbox.take(said("m", 22, person=renamed, text="m"))
    assert await keys(inbox.db, "zoë unal") == ["k", "l", "m"]
    assert await keys(inbox.db, "author:zoe") == ["k", "l", "m"]
    assert await keys(inbox.db, "bob") == []
    titled = ThreadRef("t1", title="The great delay")
    await inbox.take(replace(said("n", 23, text="n"), thread=titled))
    assert await keys(inbox.db, "great delay") == await keys(inbox.db, "has:title")
    assert len(await keys(inbox.db, '"great delay"')) == len(TEXTS) + 4


async def test_what_is_deleted_is_in_no_index(inbox: Inbox) -> None:
    async with inbox.db.write() as tx:
        await tx.execute(delete(item).where(item.c.external_id.in_(["a", "b"])))
    assert await keys(inbox.db, "refund") == ["j"]
    assert await repository.count_some(inbox.db, Words(((Phrase(("1234",)),),)), 5) == 0
    left = await inbox.db.rows(select(item_words.c.item_id))
    assert len(left) == len(TEXTS) - 2
    await inbox.take(gone=["j"])
    assert await keys(inbox.db, "refund is:removed", wanted=ItemFilter()) == ["j"]


async def test_what_waits_is_told_and_caught_up_with(inbox: Inbox) -> None:
    async with inbox.db.write() as tx:
        await tx.execute(delete(item_words))
        ids = [row.id for row in await tx.rows(select(item.c.id))]
        await repository.wait_for_words(tx, ids)
        await repository.wait_for_words(tx, ids)
    assert await repository.count_waiting(inbox.db) == len(TEXTS)
    assert await keys(inbox.db, "refund") == []
    async with inbox.db.write() as tx:
        assert await repository.write_waiting(tx, 3) == 3
    assert await repository.count_waiting(inbox.db) == len(TEXTS) - 3
    assert await catch_up(inbox.db) == len(TEXTS) - 3
    assert await repository.count_waiting(inbox.db) == 0
    assert await keys(inbox.db, "refund") == ["a", "b", "j"]


async def test_of_a_busy_author_the_rest_waits(inbox: Inbox) -> None:
    many = repository.AT_ONCE + 5
    await inbox.take(*(said(f"x{n}", n / 100, "bob", text=f"x{n}") for n in range(many)))
    assert await repository.count_waiting(inbox.db) == 5
    await catch_up(inbox.db)
    renamed = replace(person("bob"), handle="zoe")
    await inbox.take(said("y", 30, person=renamed, text="y"))
    assert await repository.count_waiting(inbox.db) >= many
    await catch_up(inbox.db)
    assert len(await keys(inbox.db, "author:zoe", limit=200)) == many + 1


async def test_a_page_is_short_where_looking_would_cost_too_much(inbox: Inbox) -> None:
    """And goes on from there: nothing is left out."""
    asked = narrow(ANY, read_query("never"), given=(), now=NOON)
    page = await read_page(inbox.db, EVERYTHING, asked, now=NOON, after=None, limit=5, effort=ALONG)
    assert page.rows == ()
    assert page.next is not None
    assert await keys(inbox.db, "never", effort=ALONG) == ["j"]
    newest = replace(ANY, order="newest")
    assert await keys(inbox.db, "refund", wanted=newest, limit=2, effort=ALONG) == ["j", "b", "a"]
    assert await keys(inbox.db, "refund", wanted=newest, limit=2) == ["j", "b", "a"]


_parts = st.sampled_from(
    ["ab", "abc", "a", "b", "退款", "退", "款退", "é", "❤", "12", "ab-b", "คืน"]
)
_texts = st.lists(st.lists(_parts, max_size=8).map(" ".join), min_size=1, max_size=12)
_asked = st.lists(
    st.tuples(
        st.sampled_from(["", "-", "OR "]), _parts, st.sampled_from(["", "*"]), st.booleans(), _parts
    ),
    min_size=1,
    max_size=4,
)


def _query(parts: list[tuple[str, str, str, bool, str]]) -> str:
    said = []
    joinable = False
    for asked, word, star, quoted, more in parts:
        sign = asked if asked != "OR " or joinable else ""
        joinable = sign != "-"
        said.append(f'{sign}"{word} {more}"' if quoted else f"{sign}{word}{star}")
    return " ".join(said)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """One database for all examples, emptied before each."""
    if request.param == "sqlite":
        folder = request.getfixturevalue("tmp_path_factory").mktemp("search")
        yield f"sqlite:///{copy(request.getfixturevalue('sqlite_template'), folder)}"
        return
    server = request.getfixturevalue("postgres")
    name = f"search_{uuid.uuid4().hex}"
    template = request.getfixturevalue("postgres_template")
    yield asyncio.run(create_database(server, name, template))
    asyncio.run(drop_database(server, name))


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(corpus=_texts, asked=st.lists(_asked.map(_query), min_size=4, max_size=8))
def test_both_databases_find_what_the_words_say(
    shared_url: str, corpus: list[str], asked: list[str]
) -> None:
    """Each equals the same naive search, so they equal one another."""

    async def look() -> None:
        db = open_database(shared_url)
        try:
            async with db.write() as tx:
                await tx.execute(delete(item))
                await tx.execute(delete(thread))
                await tx.execute(delete(source))
            inbox = Inbox(db, await add_source(db))
            await inbox.take(*(said(str(n), n, text=t) for n, t in enumerate(corpus)))
            rows = await texts(db)
            for q in asked:
                try:
                    words = narrow(ANY, read_query(q), given=(), now=NOON).words
                except Mistake:
                    continue
                assert words is not None
                expected = sorted(i for i, row in rows.items() if fits(row, words))
                for effort in (USUAL, ALONG):
                    ids = [row.id for row in await found(db, q, effort=effort, limit=5)]
                    assert ids == expected, (q, effort)
        finally:
            await db.close()

    asyncio.run(look())
