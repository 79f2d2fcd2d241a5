"""The text as it came is kept once where it is the plain text, and is always told."""

from __future__ import annotations

import json

import pytest

from app.connectors.base import Mention, TextFormat
from tests.inbox.pages import Inbox, add_source, answers, at, said
from tests.service import Service

PLAIN, MARKED, ONLY_MARKED = (
    ("Where is it?", "Where is it?"),
    ("Where?", "<p>Where?</p>"),
    ("", "<br>"),
)
TEXTS = [PLAIN, MARKED, ONLY_MARKED, ("", "")]


def told(text: str, text_raw: str, minutes: float = 0) -> Mention:
    edited = at(minutes) if minutes else None
    as_html = TextFormat.HTML
    return said("a", 0, text=text, text_raw=text_raw, text_format=as_html, edited_at=edited)


@pytest.mark.parametrize(("text", "text_raw"), TEXTS)
async def test_it_is_told_by_the_list_and_the_export(
    service: Service, text: str, text_raw: str
) -> None:
    inbox = Inbox(service.db, await add_source(service.db))
    reply = answers("r", 1, "a", text=text, text_raw=text_raw)
    await inbox.take(told(text, text_raw), reply)
    (listed,) = await service.items(status="any")
    exported = await service.api.get("/api/v1/items/export?status=any")
    line = json.loads(exported.content.splitlines()[0])
    for each in (listed, line, line["replies"][0]):
        assert (each["text"], each["text_raw"]) == (text, text_raw)
    stored = (await inbox.item("a")).text_raw
    assert stored == ("" if text == text_raw else text_raw)


@pytest.mark.parametrize("after", TEXTS)
@pytest.mark.parametrize("before", TEXTS)
async def test_another_one_is_an_edit_and_the_same_one_is_none(
    service: Service, before: tuple[str, str], after: tuple[str, str]
) -> None:
    inbox = Inbox(service.db, await add_source(service.db))
    await inbox.take(told(*before))
    await inbox.take(told(*after, minutes=5))
    found = await inbox.item("a")
    detail = (await service.api.get(f"/api/v1/items/{found.id}")).json()
    assert (detail["text"], detail["text_raw"]) == after
    earlier = [(each["text"], each["text_raw"]) for each in detail["revisions"]]
    assert earlier == ([] if before == after else [before])
