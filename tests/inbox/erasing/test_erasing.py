"""Erasing a person: nothing of them in any table, nothing comes back, the others stay."""

from __future__ import annotations

import zlib
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from app.clock import FrozenClock
from app.connectors.base import Parent, Unparsed
from app.db import Database, metadata
from app.errors import Conflict, NotFound
from app.inbox.counts import status_counts
from app.inbox.erasing.hooks import Hooks
from app.inbox.erasing.places import searched
from app.inbox.erasing.service import Erasing, Tally
from app.inbox.erasing.tombstones import living
from app.inbox.models import author, item, reply
from app.outbox.events import Actor
from app.scope import EVERYTHING
from app.sources import streams
from app.sources.models import stream, watched
from tests.inbox.pages import Inbox, answers, person, said
from tests.service import NOON

ANA = Actor("person", "Ana")
CANARY = "kanarienvogel7"
"""In the handle, the id, the links and the texts of the person who is erased."""
THEM = person(CANARY, url=f"https://here.example/@{CANARY}")


def erasing_of(db: Database, hooks: Hooks | None = None) -> Erasing:
    return Erasing(db, FrozenClock(NOON), lambda n: b"k" * n, hooks or Hooks())


async def everything(db: Database) -> dict[str, str]:
    """Every table as text, compressed bodies unpacked."""
    found = {}
    for table in metadata.sorted_tables:
        values = [value for row in await db.rows(select(table)) for value in row]
        found[table.name] = " ".join(_text(value) for value in values)
    return found


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        try:
            return zlib.decompress(value).decode()
        except zlib.error:
            return value.decode("latin-1")
    return str(value)


async def named_in(db: Database) -> set[str]:
    """The tables that still hold the canary."""
    return {name for name, text in (await everything(db)).items() if CANARY in text.lower()}


async def author_id(db: Database, name: str = CANARY) -> int:
    rows = await db.rows(select(author.c.id).where(author.c.external_id == name))
    return int(rows[0].id)


def _theirs() -> list[Any]:
    return [
        said(f"{CANARY}/1", 1, person=THEM, text=f"I am {CANARY}", raw={"who": CANARY}),
        said(f"{CANARY}/2", 5, person=THEM, thread="t2", text="another"),
        said(f"{CANARY}/3", 6, person=THEM, thread="alone", text="nobody else here"),
    ]


def _others() -> list[Any]:
    return [
        said("b1", 2, "bob", parent_external_id=f"{CANARY}/1", text=f"@{CANARY} is right",
             raw={"in_reply_to": CANARY}),
        said("b2", 3, "bob", thread="t2", text=f"says {CANARY}@here"),
        said("b3", 3, "bob", thread="t9", text=f"elsewhere: {CANARY}@here said so",
             raw={"mentions": [f"{CANARY}@here"]}),
        said("b4", 3, "bob", thread=f"{CANARY}/1", parent_external_id=f"{CANARY}/1"),
        answers("r1", 4, f"{CANARY}/1", text=f"@{CANARY} in two weeks",
                addressed=(CANARY, f"{CANARY}@here")),
        answers("r2", 7, "b2", thread="t2", text="soon"),
    ]  # fmt: skip


async def filled(inbox: Inbox) -> None:
    """A person in every table that can hold one."""
    await inbox.take(*_theirs(), *_others())
    edited = said(f"{CANARY}/1", 1, person=THEM, text=f"I am {CANARY}, edited", raw={"who": CANARY})
    await inbox.take(edited)
    await inbox.act("b1", "mark_replied", note=f"told {CANARY}@here",
                    reply_url=f"https://here.example/@{CANARY}/5")  # fmt: skip
    await inbox.act(f"{CANARY}/2", "dismiss", "other", f"{CANARY} knows")
    async with inbox.db.write() as tx:
        await tx.execute(update(author).where(author.c.external_id == CANARY).values(notes=CANARY))
        note = f"see {CANARY}@here"
        await tx.execute(update(author).where(author.c.external_id == "bob").values(notes=note))
        values = {"source_id": inbox.source_id, "name": "other", "shape": "parent", "state": "ok"}
        added = await tx.execute(insert(stream).values(**values).returning(stream.c.id))
        stream_id = int(added.scalar_one())
        bad = [Unparsed("q1", f"no time for {CANARY}@here", {"acct": f"{CANARY}@here"})]
        await streams.put_in_quarantine(tx, stream_id, bad, NOON)
        watching = {"stream_id": stream_id, "external_id": f"{CANARY}/1", "extra": {}}
        await tx.execute(insert(watched).values(**watching, first_seen_at=NOON))


async def test_nothing_is_left_in_any_table(inbox: Inbox) -> None:
    await filled(inbox)
    assert {
        "author", "item", "reply", "revision", "raw_body", "thread", "event", "quarantine",
        "watched",
    } <= await named_in(inbox.db)  # fmt: skip
    tally = await erasing_of(inbox.db).erase(await author_id(inbox.db), ANA)
    assert await named_in(inbox.db) == set()
    assert tally.items == 3


async def test_the_others_keep_their_messages_and_answers(inbox: Inbox) -> None:
    await filled(inbox)
    before = await inbox.rows()
    await erasing_of(inbox.db).erase(await author_id(inbox.db), ANA)
    after = await inbox.rows()
    assert after.keys() == before.keys() - {f"{CANARY}/{n}" for n in (1, 2, 3)}
    for ident, row in after.items():
        assert (row.status, row.thread_id, row.occurred_at) == (
            before[ident].status, before[ident].thread_id, before[ident].occurred_at,
        )  # fmt: skip
    assert after["b1"].text == "[erased] is right"
    assert {row.text for row in (await inbox.replies()).values()} == {
        "[erased] in two weeks",
        "soon",
    }


async def told(db: Database) -> Any:
    return await status_counts(db, EVERYTHING)


async def test_the_counters_stay_exact(inbox: Inbox) -> None:
    await filled(inbox)
    await erasing_of(inbox.db).erase(await author_id(inbox.db), ANA)
    counted = {row.status: 0 for row in await inbox.db.rows(select(item.c.status))}
    for row in (await inbox.rows()).values():
        counted[row.status] += 1
    found = {
        row.status: int(row.items_counted) for row in await told(inbox.db) if row.items_counted
    }
    assert found == counted
    assert sum(found.values()) == 4


async def test_a_later_poll_brings_nothing_back_and_says_how_much_it_left_out(
    inbox: Inbox,
) -> None:
    await filled(inbox)
    await erasing_of(inbox.db).erase(await author_id(inbox.db), ANA)
    rows = await inbox.rows()
    difference = await inbox.take(*_theirs(), *_others())
    assert difference.erased == 3
    assert await named_in(inbox.db) == set()
    assert await inbox.rows() == rows
    new = said(f"{CANARY}/4", 20, person=THEM)
    ours = answers("r3", 21, f"{CANARY}/4", text=f"@{CANARY} yes", addressed=(f"{CANARY}@here",))
    difference = await inbox.take(new, ours, said("c1", 22, "carl"))
    assert (difference.erased, [a.external_id for a in difference.new]) == (2, ["c1"])
    assert await named_in(inbox.db) == set()


async def test_what_others_write_below_an_erased_message_stays_in_its_conversation(
    inbox: Inbox,
) -> None:
    await filled(inbox)
    place = (await inbox.item("b4")).thread_id
    await erasing_of(inbox.db).erase(await author_id(inbox.db), ANA)
    new = said("b5", 30, "bob", thread=f"{CANARY}/1", parent_external_id=f"{CANARY}/1")
    await inbox.take(new)
    row = await inbox.item("b5")
    assert row.thread_id == place
    assert row.status == "unanswered"
    assert await named_in(inbox.db) == set()


async def test_a_message_that_comes_in_between_is_left_out_as_well(inbox: Inbox) -> None:
    """Compared before the erasure, stored after it."""
    from app.inbox import ingest  # the two steps of a page

    await filled(inbox)
    page = inbox.page(said(f"{CANARY}/5", 40, person=THEM), said("d1", 41, "dora"))
    difference = await ingest.compare(inbox.db, page)
    await erasing_of(inbox.db).erase(await author_id(inbox.db), ANA)
    async with inbox.db.write() as tx:
        outcome = await ingest.apply(tx, page, difference)
    assert (outcome.new, outcome.erased) == (1, 1)
    assert await named_in(inbox.db) == set()


async def test_a_dry_run_tells_the_numbers_and_changes_nothing(inbox: Inbox) -> None:
    await filled(inbox)
    before = await everything(inbox.db)
    erasing = erasing_of(inbox.db)
    told = await erasing.dry_run(await author_id(inbox.db))
    assert await everything(inbox.db) == before
    assert told == await erasing.erase(await author_id(inbox.db), ANA)
    assert (told.items, told.messages) == (3, 4)


class Interrupted(Exception):
    """The process ends in the middle."""


async def test_what_was_interrupted_goes_on(inbox: Inbox) -> None:
    await filled(inbox)
    someone = await author_id(inbox.db)

    async def fail(*_: Any) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        await erasing_of(inbox.db, Hooks(items_go=(fail,))).erase(someone, ANA)
    assert (await inbox.take(said(f"{CANARY}/6", 50, person=THEM))).erased == 1
    erasing = erasing_of(inbox.db)
    assert await erasing.resume() == 1
    assert await named_in(inbox.db) == set()
    assert await erasing.resume() == 0


async def test_the_event_names_nobody(inbox: Inbox) -> None:
    await filled(inbox)
    someone = await author_id(inbox.db)
    await erasing_of(inbox.db).erase(someone, ANA)
    told = (await inbox.events())[-1]
    assert (told.type, told.actor, told.item_id, told.source_id) == (
        "author.erased", "Ana", None, None,
    )  # fmt: skip
    assert told.details["items"] == 3
    assert set(told.details) == {"items", "messages", "texts"}


async def test_other_parts_hear_of_items_that_go_and_texts_that_change(inbox: Inbox) -> None:
    await filled(inbox)
    rows = await inbox.rows()
    gone: list[int] = []
    changed: list[int] = []

    async def go(_tx: Any, ids: Any) -> None:
        gone.extend(ids)

    async def change(_tx: Any, ids: Any) -> None:
        changed.extend(ids)

    hooks = Hooks(items_go=(*Hooks().items_go, go), texts_changed=(change,))
    await erasing_of(inbox.db, hooks).erase(await author_id(inbox.db), ANA)
    assert set(gone) == {rows[f"{CANARY}/{n}"].id for n in (1, 2, 3)}
    assert {rows[ident].id for ident in ("b1", "b2", "b3")} <= set(changed)


async def test_one_of_us_is_not_erased(inbox: Inbox) -> None:
    await filled(inbox)
    with pytest.raises(Conflict, match="answers for us"):
        await erasing_of(inbox.db).erase(await author_id(inbox.db, "us"), ANA)


async def test_nobody_is_erased_twice(inbox: Inbox) -> None:
    await filled(inbox)
    someone = await author_id(inbox.db)
    erasing = erasing_of(inbox.db)
    await erasing.erase(someone, ANA)
    for call in (erasing.dry_run(someone), erasing.erase(someone, ANA)):
        with pytest.raises(NotFound):
            await call


async def test_an_erased_message_is_not_watched_again(inbox: Inbox) -> None:
    await filled(inbox)
    await erasing_of(inbox.db).erase(await author_id(inbox.db), ANA)
    parents = [Parent(f"{CANARY}/1"), Parent("b1")]
    assert [p.external_id for p in await living(inbox.db, "mastodon", parents)] == ["b1"]


async def test_a_person_with_many_messages_goes_in_batches(inbox: Inbox) -> None:
    await inbox.take(
        *(said(f"m{n}", n, person=THEM, thread=f"t{n}") for n in range(450)),
        *(answers(f"r{n}", 500 + n, f"m{n}", thread=f"t{n}") for n in range(3)),
    )
    tally = await erasing_of(inbox.db).erase(await author_id(inbox.db), ANA)
    assert tally.items == 450
    assert not await inbox.rows()
    assert len(await inbox.replies()) == 3
    assert await inbox.db.rows(select(item.c.id)) == []


def test_every_table_with_text_is_searched_or_named() -> None:
    names = {table.name for table, _ in searched()}
    assert {"item", "reply", "revision", "thread", "event", "author", "quarantine"} <= names
    assert {"note", "label", "view", "rule", "policy", "webhook", "action"} <= names


def test_a_tally_starts_at_nothing() -> None:
    assert Tally() == Tally(0, 0, 0, 0)


async def test_our_reply_still_answers_nobody_else(inbox: Inbox) -> None:
    """It hung on an erased message and must not become an answer to another one."""
    await inbox.take(
        said("x1", 1, person=THEM),
        said("x2", 2, "bob"),
        answers("y1", 3, "x1", addressed=(CANARY,)),
    )
    assert (await inbox.item("x2")).status == "unanswered"
    await erasing_of(inbox.db).erase(await author_id(inbox.db), ANA)
    await inbox.take(said("x3", 4, "carl"))
    assert {row.status for row in (await inbox.rows()).values()} == {"unanswered"}
    rows = await inbox.db.rows(select(reply.c.parent_external_id, reply.c.addressed))
    assert rows[0].parent_external_id.startswith("erased:")
    assert rows[0].addressed[0].startswith("erased:")


async def test_replies_of_the_erased_no_longer_count_below_others(inbox: Inbox) -> None:
    await inbox.take(
        said("x1", 1, "bob"),
        said("x2", 2, person=THEM, parent_external_id="x1"),
        said("x3", 3, "carl", parent_external_id="x1"),
    )
    assert (await inbox.item("x1")).community_replies == 2
    await erasing_of(inbox.db).erase(await author_id(inbox.db), ANA)
    assert (await inbox.item("x1")).community_replies == 1
