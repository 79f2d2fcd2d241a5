"""The tables of docs/platforms/README.md, made from what the platforms declare."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast, get_args

from pydantic import ValidationError

from app.connectors.asking import Http
from app.connectors.base import Fields, LostRange, Platform, StreamSpec
from app.connectors.keeping import NotStored
from app.connectors.registry import PLATFORMS
from tests.connectors.playing import filled, load

OFFERED = [platform for platform in PLATFORMS.values() if not platform.hidden]

_HEAD = """# Platforms

<!-- Made from the code by `python -m tests.documents`; a test compares the two. -->

What can be connected, how it is read and what it costs. Each platform has a page of its own with
the way to its credential.
"""

_READ = """
## What is read

| platform | streams | kinds | own answers are seen | edits | deletions |
|---|---|---|---|---|---|
"""

_READ_FOOT = """
- **exact**: the platform says which message an answer belongs to; **thread**: only in which
  conversation it stands.
- **re-read**: found when a waiting item is read again, soon after it came and then ever more rarely
  (after a tenth of its age, at most a day); **seen**: a list says it as well.
- Which streams a source has may depend on its settings and credential: see the platform's page.
"""

_COSTS = """
## What it costs

Pauses are between two polls of one source; *100 accounts* means that many on one server, all read
from one address. New messages cost more: a conversation seen for the first time, the conversation
of a watched post and an item read again take one request each.

| platform | credential | review | price | idle poll | at least | 1 account | 100 accounts |
|---|---|---|---|---|---|---|---|
"""

_COSTS_FOOT = """
Below the least pause a source is refused, except on hosts named in `UNANSWERED_ALLOW_NETWORKS`.
When a platform says how much of its allowance is left, polling slows down by itself.
"""

_LOST = """
## What is lost by design

What a platform never gives is shown with the source (`lost`), it is not a fault of polling.

| platform | what |
|---|---|
"""

_FOOT = """
The made-up platform of the [demo](../demo.md) is not offered for connecting.

How far each connector is proven: [quality tiers](tiers.md).
"""


def title(platform: Platform) -> str:
    """The name in the tables: software that speaks the same language is not listed."""
    return platform.title.partition(",")[0]


def streams_of(platform: Platform) -> tuple[StreamSpec, ...]:
    """The streams of a source as its recording connects it: all that there are."""
    recording = load(platform.name)
    return _streams(platform, recording["settings"], recording.get("credential"))


def _streams(
    platform: Platform, settings: Mapping[str, Any], given: Mapping[str, str] | None
) -> tuple[StreamSpec, ...]:
    model = platform.credential
    connector = platform.connector(
        settings=platform.settings(**filled(settings, "http://127.0.0.1:1")),
        credential=model(**given) if model is not None and given else None,
        http=cast("Http", None),  # streams are told without a network
        save_credential=NotStored(),
    )
    return tuple(connector.streams())


def losses_of(platform: Platform) -> dict[LostRange, list[str]]:
    """Each loss by design once, with the streams that have it: as the recording connects a source,
    and in every other way in which it may be connected.
    """
    found: dict[LostRange, list[str]] = {}
    for settings, credential in _ways(platform):
        for spec in _streams(platform, settings, credential):
            for each in spec.lost:
                names = found.setdefault(each, [])
                names += [] if spec.name in names else [spec.name]
    return found


def _ways(platform: Platform) -> Iterator[tuple[Mapping[str, Any], Mapping[str, str] | None]]:
    """(settings, credential): those of the recording; then with another choice in one setting, with
    one field of the credential alone, and with none, where such a source may be.
    """
    recording = load(platform.name)
    settings, given = recording["settings"], recording.get("credential") or {}
    yield settings, given
    for name, field in platform.settings.model_fields.items():
        choices = (True, False) if field.annotation is bool else get_args(field.annotation)
        for choice in choices:
            if isinstance(choice, str | bool):
                yield {**settings, name: choice}, given
    for name, value in given.items():
        if platform.credential is not None and _is_enough(platform.credential, {name: value}):
            yield settings, {name: value}
    if not platform.credential_required:
        yield settings, None


def _is_enough(model: type[Fields], given: Mapping[str, str]) -> bool:
    try:
        model(**given)
    except ValidationError:
        return False
    return True


def platforms_page() -> str:
    """docs/platforms/README.md."""
    listed = sorted(OFFERED, key=lambda each: title(each).lower())
    tables = ((_READ, _read, _READ_FOOT), (_COSTS, _costs, _COSTS_FOOT), (_LOST, _lost, ""))
    parts = (head + "".join(map(row, listed)) + foot for head, row, foot in tables)
    return _HEAD + "".join(parts) + _FOOT


def _row(cells: Iterable[Any]) -> str:
    return "| " + " | ".join(re.sub(r"\s+", " ", str(cell)) for cell in cells) + " |\n"


def _read(platform: Platform) -> str:
    specs, can, told = streams_of(platform), platform.capabilities, platform.in_short.answers
    return _row(
        (
            f"[{title(platform)}]({platform.name}.md)",
            " ".join(f"`{spec.name}`" for spec in specs),
            ", ".join(sorted({kind.value for spec in specs for kind in spec.kinds})),
            f"{can.own_answers}: {told}" if told else can.own_answers,
            can.edits,
            can.deletions,
        )
    )


def _costs(platform: Platform) -> str:
    told, access = platform.in_short, platform.access
    credential = told.credential or ("needed" if platform.credential_required else "none")
    hundred = f"{told.hundred.total_seconds():.0f} s" if told.hundred else "see its page"
    return _row(
        (
            title(platform),
            credential,
            access.review or "none",
            access.price,
            told.idle_poll or "see its page",
            f"{platform.minimum_interval.total_seconds():.0f} s",
            f"{platform.default_interval.total_seconds():.0f} s",
            f"{hundred} ({told.limit})" if told.limit else hundred,
        )
    )


def _lost(platform: Platform) -> str:
    told = (
        f"`{lost.cause}` in {', '.join(f'`{name}`' for name in names)}: {lost.detail}"
        for lost, names in losses_of(platform).items()
    )
    return _row((title(platform), " ".join(told) or "nothing known"))
