"""What every connector promises: runs for each registered platform, over real HTTP."""

from __future__ import annotations

import copy
import json
from collections.abc import Awaitable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from app.clock import SystemClock
from app.connectors.base import (
    Connector,
    Kind,
    Page,
    Parent,
    Platform,
    Shape,
    StreamSpec,
)
from app.connectors.failures import BadResponse, ConnectorError, Gone, RateLimited
from app.connectors.registry import PLATFORMS
from app.connectors.rereading import ReadsMany
from tests.connectors.faults import FAULTS, Fault
from tests.connectors.in_hand import InHand, connector_in_hand
from tests.connectors.playing import FOLDER, load, names_of, without
from tests.connectors.reading import (
    PASSES,
    Endless,
    Source,
    meant,
    mentions_in,
    on_stage,
    read_parents,
    read_stream,
    read_whole,
    survived,
    told,
)

platforms = pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS.keys())


def expected(source: Source, stream: str) -> dict[str, Any]:
    return {one["external_id"]: meant(one) for one in source.recording["expect"][stream]}


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a value, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from texts_in(key)
            yield from texts_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts_in(inner)


def assert_storable(*values: Any) -> None:
    for text in texts_in(values):
        assert "\0" not in text
        text.encode()  # a lone surrogate can't be encoded


def assert_utc(*moments: datetime | None) -> None:
    for at in moments:
        assert at is None or at.utcoffset() == timedelta(0)


def assert_well_formed(page: Page, spec: StreamSpec) -> None:
    """Everything the inbox relies on without looking."""
    for one in page.mentions:
        assert isinstance(one.external_id, str)
        assert one.external_id
        assert isinstance(one.kind, Kind)
        assert one.author.external_id
        assert one.thread.external_id
        assert one.parent_external_id != ""
        assert_utc(one.occurred_at, one.indexed_at, one.edited_at, one.thread.started_at)
        person = one.author
        assert_storable(one.external_id, one.text, one.text_raw, one.permalink, one.raw)
        assert_storable(person.external_id, person.handle, person.display_name, one.thread.title)
        json.dumps(one.raw, allow_nan=False)
    for parent in page.parents:
        assert parent.external_id
        survived(parent.extra)
        assert_utc(parent.created_at, parent.changed_at)
    assert all(page.gone)
    assert_utc(page.oldest_at, page.newest_at)
    assert not page.more or page.next_cursor is not None
    assert_storable([(one.external_id, one.reason, one.raw) for one in page.unparsed])
    survived(page.next_cursor)
    assert spec.name


@platforms
def test_platform_has_a_recording_with_expectations_for_every_stream(platform: Platform) -> None:
    assert (FOLDER / f"{platform.name}.json").exists(), "write its recording (see README.md there)"
    recording = load(platform.name)
    assert recording["expect"], "say what reading each stream returns"
    assert any(recording["expect"].values())


@platforms
async def test_every_stream_returns_exactly_what_the_platform_has(platform: Platform) -> None:
    async with on_stage(platform, load(platform.name)) as source:
        connector = source.connector()
        specs = {spec.name: spec for spec in connector.streams()}
        assert specs.keys() == source.recording["expect"].keys()
        for name, spec in specs.items():
            found = mentions_in(await read_whole(connector, spec))
            wanted = expected(source, name)
            assert {k: told(one, wanted.get(k, {})) for k, one in found.items()} == wanted, name


@platforms
async def test_what_was_handed_out_is_handed_out_again(platform: Platform) -> None:
    """It may have come to no inbox: only the poller knows, and says so by a cursor or a parent."""
    async with on_stage(platform, load(platform.name)) as source:
        connector = source.connector()
        for spec in connector.streams():
            first = mentions_in(await read_whole(connector, spec)).keys()
            assert mentions_in(await read_whole(connector, spec)).keys() == first, spec.name


@platforms
async def test_pages_are_well_formed_and_nothing_is_put_aside(platform: Platform) -> None:
    async with on_stage(platform, load(platform.name)) as source:
        connector = source.connector()
        for spec in connector.streams():
            for page in await read_whole(connector, spec):
                assert_well_formed(page, spec)
                assert not page.unparsed


@platforms
async def test_check_tells_who_we_are(platform: Platform) -> None:
    async with on_stage(platform, load(platform.name)) as source:
        check = await source.connector().check()
        assert check.identity is not None
        names = {check.identity.external_id, check.identity.handle, *check.identity.aliases}
        assert set(source.recording["us"]) <= names
        assert not check.missing


@platforms
async def test_start_is_inclusive(platform: Platform) -> None:
    """Asking again from the same place, or from the time of a message, skips nothing."""
    async with on_stage(platform, load(platform.name)) as source:
        for spec in (connector := source.connector()).streams():
            for parent in await read_parents(connector, spec):
                await assert_nothing_skipped(source.connector(), spec, parent)


async def assert_nothing_skipped(
    connector: Connector, spec: StreamSpec, parent: Parent | None
) -> None:
    pages = await read_stream(connector, spec, parent)
    for before, page in pairwise(pages):
        cursor = survived(before.next_cursor)
        again = await connector.fetch_page(spec.name, cursor, parent=parent)
        assert mentions_in([again]).keys() == mentions_in([page]).keys()
    times = [at for one in mentions_in(pages).values() if (at := one.occurred_at) is not None]
    if spec.shape is Shape.BACKWARD and times:
        newest = max(times)
        at_the_border = {k for k, one in mentions_in(pages).items() if one.occurred_at == newest}
        assert await are_found_since(newest, at_the_border, connector, spec, parent)


async def are_found_since(
    since: datetime,
    wanted: set[str],
    connector: Connector,
    spec: StreamSpec,
    parent: Parent | None,
) -> bool:
    """Whether a pass down to `since` brings these messages, on whichever of its pages."""
    missing, cursor = set(wanted), None
    for _ in range(PASSES):
        page = await connector.fetch_page(spec.name, cursor, parent=parent, since=since)
        missing -= mentions_in([page]).keys()
        cursor = survived(page.next_cursor)
        if not missing or not page.more:
            break
    return not missing


@platforms
@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_failure_says_what_to_do_next(platform: Platform, fault: Fault) -> None:
    async with on_stage(platform, load(platform.name)) as source:
        specs = (connector := source.connector()).streams()
        for spec in specs:
            parents = await read_parents(connector, spec)
            source.strike(fault)
            await assert_fails(source.connector(), spec, parents[0], fault)
            source.strike(None)


async def assert_fails(
    connector: Connector, spec: StreamSpec, parent: Parent | None, fault: Fault
) -> None:
    asked_at = SystemClock().now()
    found = await outcome(connector.fetch_page(spec.name, None, parent=parent))
    if isinstance(found, Page):
        assert fault.entries, f"{spec.name} took {fault} for an answer: {found}"
        assert found.unparsed
        assert not found.mentions
        return
    assert isinstance(found, fault.means), repr(found)
    assert found.detail
    if fault.wait is not None:
        assert isinstance(found, RateLimited)
        assert found.until is not None
        assert abs(found.until - asked_at - fault.wait) < timedelta(seconds=10)


async def outcome(call: Awaitable[Any]) -> Any:
    """What a call returns, or the failure it may raise; anything else is a defect and goes up."""
    try:
        return await call
    except (ConnectorError, Endless) as failure:  # a damaged token may well lead in circles
        return failure


@platforms
async def test_check_fails_like_reading(platform: Platform) -> None:
    async with on_stage(platform, load(platform.name)) as source:
        for fault in FAULTS:
            source.strike(fault)
            with pytest.raises(ConnectorError) as caught:
                await source.connector().check()
            assert isinstance(caught.value, fault.means), f"{fault}: {caught.value!r}"


@platforms
async def test_one_item_and_its_thread_can_be_read(platform: Platform) -> None:
    async with on_stage(platform, load(platform.name)) as source:
        asked = source.recording["reads"]
        connector = source.connector()
        if not platform.capabilities.shows_again:
            for call in (connector.fetch_item(asked["item"]), connector.fetch_thread("1")):
                assert isinstance(await outcome(call), BadResponse)
            return
        item = await connector.fetch_item(asked["item"])
        assert item.external_id == asked["item"]
        with pytest.raises(Gone):
            await connector.fetch_item(asked["gone"])
        thread = await connector.fetch_thread(asked["thread"])
        assert [one.external_id for one in thread.mentions] == asked["in_thread"]
        assert {one.thread.external_id for one in thread.mentions} == {asked["thread"]}


@platforms
async def test_many_items_are_read_at_once_where_that_is_offered(platform: Platform) -> None:
    async with on_stage(platform, load(platform.name)) as source:
        asked, connector = source.recording["reads"], source.connector()
        if not isinstance(connector, ReadsMany):
            return
        assert connector.most_at_once > 1
        page = await connector.fetch_items([asked["item"], asked["gone"]])
        assert [one.external_id for one in page.mentions] == [asked["item"]]
        assert page.mentions == (await connector.fetch_item(asked["item"]),)
        assert page.gone == (asked["gone"],)
        assert not page.unparsed


@platforms
def test_settings_and_credential_refuse_unknown_fields(platform: Platform) -> None:
    recording = load(platform.name)
    for model, given_fields in (
        (platform.settings, recording["settings"]),
        (platform.credential, recording.get("credential") or {}),
    ):
        if model is not None:
            assert model.model_json_schema()["type"] == "object"
            filled_in = json.loads(json.dumps(given_fields).replace("{base}", "http://127.0.0.1:1"))
            model.model_validate(filled_in)
            with pytest.raises(ValidationError):
                model.model_validate({**filled_in, "unknown": "value"})


SEEN = "seen-by-nobody"


@platforms
def test_secrets_do_not_show_in_representations(platform: Platform) -> None:
    if platform.credential is not None:
        secret = platform.credential.model_json_schema()["properties"]
        hidden = [name for name, one in secret.items() if one.get("writeOnly")]
        assert hidden, "mark the secret fields with writeOnly and repr=False"
        # Not validated: some exclude each other, and none may be seen.
        given_fields: dict[str, Any] = {
            name: SecretStr(SEEN) if field.annotation is SecretStr else SEEN
            for name, field in platform.credential.model_fields.items()
        }
        shown = repr(platform.credential.model_construct(**given_fields))
        assert shown.count(SEEN) == len(secret) - len(hidden)


@platforms
def test_platform_says_how_it_may_be_polled(platform: Platform) -> None:
    assert timedelta(seconds=1) <= platform.minimum_interval <= platform.default_interval
    assert platform.title
    assert platform.name.isidentifier()


POISON: tuple[Any, ...] = (None, "poison", 7, [], {})
RETYPED = [{"never": "seen"}]


def entry_lists(body: Any, wanted: set[str]) -> Iterator[list[Any]]:
    """The outermost lists of objects in a body that hold messages of the stream."""
    if isinstance(body, list):
        if any(isinstance(one, dict) and wanted & ids_in(one) for one in body):
            yield body
        return
    for inner in body.values() if isinstance(body, dict) else ():
        yield from entry_lists(inner, wanted)


def ids_in(value: Any) -> set[str]:
    """Everything in an entry that may be its id: texts and numbers, at any depth."""
    if isinstance(value, dict):
        return set().union(*(ids_in(one) for one in value.values()))
    if isinstance(value, list):
        return set().union(*(ids_in(one) for one in value))
    return {str(value)}


def spoiled(entries: list[Any]) -> Iterator[tuple[str, set[str], bool]]:
    """Spoils the list in place, one entry in one way at a time, and mends it again. Yields what was
    done, and the ids that were taken out with it: an entry may hold others (a tree of replies).
    Where these are simply not there any more, the entry is one without replies: then it is `True`.
    """
    for index, entry in enumerate(list(entries)):
        for poison in POISON:
            entries[index] = poison
            yield f"entry {index} is {poison!r}", ids_in(entry), False
        for name in entry if isinstance(entry, dict) else ():
            entries[index] = {k: v for k, v in entry.items() if k != name}
            is_branch = isinstance(entry[name], dict | list)
            yield f"entry {index} without {name}", ids_in(entry[name]), is_branch
            entries[index] = {**entry, name: RETYPED}
            yield f"entry {index} with {name} = {RETYPED!r}", ids_in(entry[name]), False
        entries[index] = entry


@platforms
async def test_a_spoiled_entry_never_costs_another_one(platform: Platform) -> None:
    """What can't be read is put aside; what can be read without the lost field is kept."""
    recording = copy.deepcopy(load(platform.name))
    spoilt = 0
    async with on_stage(platform, recording) as source:
        for spec in (connector := source.connector()).streams():
            await pages_of(connector, spec, await read_parents(connector, spec))
            parents = await read_parents(held(platform, recording), spec)
            wanted = set(expected(source, spec.name))
            names = names_of(recording, wanted)
            for exchange in used_by(source):
                for entries in entry_lists(exchange["response"].get("body"), names):
                    for how, taken, is_branch in spoiled(entries):
                        pages = await pages_of(held(platform, recording), spec, parents)
                        left = without(recording, wanted, taken) if is_branch else wanted
                        also = without(recording, left - mentions_in(pages).keys(), taken)
                        assert len(also) <= 1, f"{spec.name}: {how}: also lost {also}"
                        assert_one_put_aside(pages, left, f"{spec.name}: {how}")
                        spoilt += 1
    assert spoilt, "no entry was found to spoil"


def held(platform: Platform, recording: Any) -> Connector:
    """A connector that is handed the recording as it stands: thousands of times, not over HTTP."""
    return connector_in_hand(platform, recording, InHand(recording["exchanges"]))


async def pages_of(
    connector: Connector, spec: StreamSpec, parents: list[Parent | None]
) -> list[Page]:
    return [page for one in parents for page in await read_stream(connector, spec, one)]


def used_by(source: Source) -> list[Any]:
    """The exchanges that have been asked for so far."""
    asked = set(source.stage.paths)
    return [one for one in source.recording["exchanges"] if one["request"]["path"] in asked]


def assert_one_put_aside(pages: list[Page], wanted: set[str], how: str) -> None:
    found = mentions_in(pages).keys()
    lost = wanted - found
    accounted = [*(one for page in pages for one in (*page.unparsed, *page.gone)), *found - wanted]
    accounted += [kind for page in pages for kind in page.skipped]
    assert not lost or accounted, f"{how}: {lost} vanished without a trace"
