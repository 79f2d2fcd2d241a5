"""Texts that a platform's terms let us keep no longer: gone, while row, times and status stay."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Table, func, insert, select

from app.db import Database
from app.inbox.models import author, item, raw_body, revision, thread
from app.inbox.wiping import AT_ONCE, wipe_texts
from app.sources.models import quarantine, stream
from tests.inbox.pages import Inbox, add_source, answers, person, said
from tests.service import NOON

MONTH = timedelta(days=30)
RAW = {"secret": "as it came"}


@pytest.fixture
async def strict(db: Database) -> Inbox:
    """A source of a platform with both duties."""
    return Inbox(db, await add_source(db, "youtube"), "youtube", stream="threads")


async def keep(inbox: Inbox, *mentions: Any, gone: Any = ()) -> None:
    await inbox.take(*mentions, gone=gone, keep_until=inbox.now + MONTH)


async def rows(db: Database, table: Table) -> list[Any]:
    return list(await db.rows(select(table).order_by(table.primary_key.columns[0])))


async def test_what_was_not_read_again_in_time_loses_its_text_and_nothing_else(
    strict: Inbox, db: Database
) -> None:
    written = person("ann", url="https://there.example/ann", followers=7)
    await keep(strict, said("a", 0, person=written, raw=RAW), answers("r", 5, "a"))
    before = await strict.item("a")
    assert await wipe_texts(db, NOON + MONTH - timedelta(seconds=1)) == 0
    assert await wipe_texts(db, NOON + MONTH) == 2
    after = await strict.item("a")
    assert (after.text, after.text_raw, after.media) == ("", "", [])
    for name in (
        "status",
        "occurred_at",
        "first_seen_at",
        "answered_at",
        "answer_evidence",
        "kind",
    ):
        assert getattr(after, name) == getattr(before, name)
    assert after.wiped_at == NOON + MONTH
    assert after.version == before.version + 1
    assert (await strict.replies())["r"].text == ""
    assert await rows(db, raw_body) == []
    assert await wipe_texts(db, NOON + 2 * MONTH) == 0


async def test_an_event_says_so(strict: Inbox, db: Database) -> None:
    await keep(strict, said("a", 0))
    await wipe_texts(db, NOON + MONTH)
    told = [happened for happened in await strict.events() if happened.type == "item.text_wiped"]
    assert [(one.details["cause"], one.to_status) for one in told] == [
        ("not_read_again", "unanswered")
    ]


async def test_earlier_versions_of_the_text_go_too(strict: Inbox, db: Database) -> None:
    await keep(strict, said("a", 0, text="first"))
    await keep(strict, said("a", 0, text="second"))
    assert len(await rows(db, revision)) == 1
    await wipe_texts(db, NOON + MONTH)
    assert await rows(db, revision) == []


async def test_an_author_keeps_an_id_only_once_no_text_is_left(strict: Inbox, db: Database) -> None:
    await keep(strict, said("a", 0), said("c", 1, "bob"))
    strict.now = NOON + timedelta(days=5)
    await keep(strict, said("b", 2))
    await wipe_texts(db, NOON + MONTH)
    names = {row.external_id: row.display_name for row in await rows(db, author)}
    assert names == {"ann": "Ann", "bob": ""}
    await wipe_texts(db, NOON + MONTH + timedelta(days=5))
    [ann, _] = await rows(db, author)
    assert (ann.external_id, ann.handle, ann.display_name, ann.url) == ("ann", "", "", "")


async def test_our_own_people_keep_their_names(strict: Inbox, db: Database) -> None:
    await keep(strict, said("a", 0), answers("r", 5, "a"))
    await wipe_texts(db, NOON + MONTH)
    names = {row.external_id: row.display_name for row in await rows(db, author)}
    assert names == {"ann": "", "us": "Us"}


async def test_the_title_of_a_thread_goes_with_its_last_text(strict: Inbox, db: Database) -> None:
    await keep(strict, said("a", 0))
    async with db.write() as tx:
        await tx.execute(thread.update().values(title="A film"))
    await wipe_texts(db, NOON + MONTH)
    assert [row.title for row in await rows(db, thread)] == [""]


async def test_what_is_gone_loses_its_text_at_the_platforms_word(
    strict: Inbox, db: Database
) -> None:
    await keep(strict, said("a", 0), said("b", 1), answers("r", 5, "b"))
    await keep(strict, gone=["a", "r"])
    assert await wipe_texts(db, NOON) == 2
    assert (await strict.item("a")).text == ""
    assert (await strict.item("a")).status == "removed"
    assert (await strict.item("b")).text == "text of b"
    assert (await strict.replies())["r"].text == ""
    assert await wipe_texts(db, NOON) == 0
    told = [happened for happened in await strict.events() if happened.type == "item.text_wiped"]
    assert [one.details["cause"] for one in told] == ["gone"]


async def test_elsewhere_nothing_is_wiped(db: Database) -> None:
    lenient = Inbox(db, await add_source(db))
    await lenient.take(said("a", 0))
    await lenient.take(gone=["a"])
    assert await wipe_texts(db, NOON + 12 * MONTH) == 0
    assert (await lenient.item("a")).text == "text of a"


async def test_what_is_seen_again_has_its_text_again_and_is_no_edit(
    strict: Inbox, db: Database
) -> None:
    await keep(strict, said("a", 0), answers("r", 5, "a"))
    await wipe_texts(db, NOON + MONTH)
    strict.now = NOON + MONTH
    await keep(strict, said("a", 0), answers("r", 5, "a"))
    row = await strict.item("a")
    assert (row.text, row.wiped_at, row.keep_until) == ("text of a", None, NOON + 2 * MONTH)
    assert not row.edited_after_answer
    assert await rows(db, revision) == []
    assert "item.edited" not in await strict.types("a")
    assert (await strict.replies())["r"].text == "text of r"
    assert {row.display_name for row in await rows(db, author)} == {"Ann", "Us"}


async def test_the_search_finds_it_no_more(strict: Inbox, db: Database) -> None:
    from app.inbox.search.models import item_words  # read once

    await keep(strict, said("a", 0, text="zebra crossing"))
    await wipe_texts(db, NOON + MONTH)
    assert not [row for row in await db.rows(select(item_words)) if "zebra" in str(row)]


async def test_many_go_in_batches(strict: Inbox, db: Database) -> None:
    await keep(strict, *(said(f"m{n}", n / 100) for n in range(AT_ONCE + 3)))
    assert await wipe_texts(db, NOON + MONTH) == AT_ONCE + 3
    left = select(func.count().label("n")).select_from(item).where(item.c.text != "")
    assert (await db.rows(left))[0].n == 0


async def test_what_could_not_be_read_is_kept_as_long_as_the_platform_shows_it(
    strict: Inbox, db: Database
) -> None:
    values = {"source_id": strict.source_id, "name": "threads", "shape": "backward", "state": "ok"}
    async with db.write() as tx:
        made = await tx.execute(insert(stream).values(**values).returning(stream.c.id))
        stream_id = made.scalar_one()
        for key, seen in (("old", NOON), ("young", NOON + timedelta(days=9))):
            row = {"stream_id": stream_id, "digest": key, "reason": "no id", "raw": b"x"}
            times = {"first_seen_at": NOON, "last_seen_at": seen}
            await tx.execute(insert(quarantine).values(**row, **times))
    await wipe_texts(db, NOON + MONTH + timedelta(hours=1))
    assert [row.digest for row in await rows(db, quarantine)] == ["young"]
